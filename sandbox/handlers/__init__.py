"""Demo handlers. Each file is copied into image layers as it stands, so it imports only the standard library."""
