"""Markup that is too hot for a template, and how statuses look."""
