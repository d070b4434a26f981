"""The engine: what any resource has; it knows no resource."""
