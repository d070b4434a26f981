"""OData: the service as its clients see it."""
