"""What `manage.py doctor` and its page look at: Drydock's own parts, accounts and regions, registries."""
