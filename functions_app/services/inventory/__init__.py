"""The read side: what the pages show, from the last snapshot, as frozen rows and in a constant number of queries."""
