"""Deploy, roll back, invoke."""
