"""Programs that are measured. Each stands alone, so that it runs in another environment too."""
