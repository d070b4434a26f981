"""Imports: files whose rows become records."""
