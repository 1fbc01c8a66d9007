"""Fleets to look at, to test and to measure with."""
