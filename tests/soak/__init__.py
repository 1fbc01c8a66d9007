"""An hour of ordinary work, to see what grows."""
