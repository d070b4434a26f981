"""What any web service has; knows nothing of trade."""
