"""Live changes: the tail of the change log, as Server-sent events."""
