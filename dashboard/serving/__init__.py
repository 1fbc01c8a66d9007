"""Every process of an installation on one machine, under one roof: `manage.py serve` and `manage.py demo`."""
