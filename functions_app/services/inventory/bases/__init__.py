"""Pages of base images."""
