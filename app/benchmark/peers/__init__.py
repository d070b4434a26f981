"""What is measured: the service, other ways to write it, and floors; each behind one interface."""
