"""Runs and their logs, as pages, streams and machines are told of them."""
