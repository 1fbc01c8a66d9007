"""What the pages sort, filter and count by, kept ready in rows."""
