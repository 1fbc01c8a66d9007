"""What somebody pasted into a search: an ARN, a log group, a console's address, a reference, a digest, a number."""
