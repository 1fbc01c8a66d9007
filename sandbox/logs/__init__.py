"""CloudWatch: logs and metrics."""
