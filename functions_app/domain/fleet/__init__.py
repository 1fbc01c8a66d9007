"""Functions, versions, aliases and repositories, as facts and as verdicts."""
