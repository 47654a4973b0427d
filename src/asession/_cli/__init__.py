"""The command line, ``asession`` or ``python -m asession``: it prints, and may block."""
