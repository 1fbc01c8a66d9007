"""ECR's API."""
