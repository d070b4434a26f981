"""The server process: HTTP with bounds, signals, and several processes on one address."""
