"""Full-text search: what is searched, the index, and what it finds."""
