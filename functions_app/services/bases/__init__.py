"""Base images: polls, streams, releases, verdicts, policies, daily counts."""
