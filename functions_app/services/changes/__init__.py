"""Changes of AWS: deploy, roll back, invoke, and plans of patches."""
