"""Webhooks: subscriptions, scheduling, and signed delivery (Standard Webhooks 1.0)."""
