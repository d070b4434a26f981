"""Words as search sees them: folded, spelt in one alphabet, without endings."""
