"""The REST API: doors for machines. JSON in, JSON or application/problem+json out."""
