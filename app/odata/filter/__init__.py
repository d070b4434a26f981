"""`$filter`: OData's grammar, and what it means to the conditions of the engine."""
