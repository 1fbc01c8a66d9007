"""Everything breaks while work goes on: real processes, a real broker and database, and a judge of what came of it."""
