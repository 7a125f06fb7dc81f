"""HTTP: what browsers and programs read from this server."""
