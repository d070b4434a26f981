"""Authentication and authorization: principals, API keys, OpenID Connect tokens, rate limits."""
