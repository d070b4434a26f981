"""Tables as files: written as streams, and read row by row."""
