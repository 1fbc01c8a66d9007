"""Everything that comes from outside, damaged and made up: each reader gives facts or a refusal, within bounds.

A minute of it is part of `make test`, with the same inputs each time. `make fuzz` goes on for ten minutes with other
inputs, tells the seed, and keeps what failed: the next `make fuzz` begins with that.
"""
