"""Real servers for the tests: local AWS in child processes, and a recorder in a thread."""
