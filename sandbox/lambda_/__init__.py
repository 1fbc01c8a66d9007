"""Lambda's API, and what runs handlers."""
