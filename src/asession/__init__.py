"""asession."""
