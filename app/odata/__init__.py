"""OData 4.0, read-only: the records and the datasets for programs that make tables and charts."""
