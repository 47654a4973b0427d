"""The command line, ``python -m asession``: it prints, and may block."""
