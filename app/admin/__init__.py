"""API keys and code lists over HTTP."""
