"""Text analysis for search: normalization, transliteration, stemming."""
