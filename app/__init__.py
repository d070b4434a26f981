"""Trade-mission deals: a REST API."""
