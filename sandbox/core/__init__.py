"""The one port: HTTP, dispatch, protocols, limits, faults."""
