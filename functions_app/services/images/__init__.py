"""Images: their facts, files, scans and forecasts, and the registries they lie in."""
