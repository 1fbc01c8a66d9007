"""One image: its manifest and config, Lambda's rules for it, advice, scans."""
