"""The run engine: plans, runs, their steps, leases and execution."""
