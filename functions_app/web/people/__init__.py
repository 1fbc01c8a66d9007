"""Signing in, the audit table, accounts."""
