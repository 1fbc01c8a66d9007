"""The sync: the run, and what it reads."""
