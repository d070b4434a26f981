"""What any kind of record has; knows no kind, and nothing of HTTP."""
