"""The functions pages."""
