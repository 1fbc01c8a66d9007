"""What repositories hold: manifests, blobs, tags, tokens."""
