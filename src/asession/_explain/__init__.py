"""Explanations: what a session is made of, what is wrong with it, and what to do about it."""
