"""Execution environments that really run the handlers."""
