"""Spelling, terms and style of what visitors read."""
