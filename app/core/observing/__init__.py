"""What an operator sees of the service: health, metrics, logs and traces."""
