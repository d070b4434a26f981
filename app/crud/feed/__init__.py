"""The feed of changes as it happens: live streams of it, and webhooks that are told of it."""
