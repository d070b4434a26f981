"""What uses OData through the clients of others."""
