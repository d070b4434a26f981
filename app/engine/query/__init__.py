"""Filters and reads: parsed filter, query shape, compiled SELECT, rendered JSON; cursors."""
