"""Settings: which value of each configuration variable is in force, and where it came from."""
