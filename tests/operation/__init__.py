"""What an operator meets: health, metrics, logs, traces, and the headers of answers."""
