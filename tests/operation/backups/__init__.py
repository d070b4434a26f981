"""Backups, and what they are for."""
