"""Reading across resources; never writes."""
