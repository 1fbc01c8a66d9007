"""What a change would do, may do, and could go back to."""
