"""What asession costs beside its peers: one runnable file per row, against a local fake of AWS."""
