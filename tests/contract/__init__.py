"""The API is what its schema says: schemathesis asks a real server everything that the schema allows, and forbids."""
