"""An AWS account in a box for the demo, the tests and the benchmarks: moto, corrected. Never for production."""
