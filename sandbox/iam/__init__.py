"""Who calls: access keys, roles, policies."""
