"""Whether Drydock and what it stands on work: facts that were looked up elsewhere, judged and put into words."""
