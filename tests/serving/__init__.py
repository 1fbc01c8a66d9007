"""Processes that are kept alive, and the two commands that do so."""
