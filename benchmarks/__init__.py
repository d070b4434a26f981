"""Measures the service against the same jobs written the usual way."""
