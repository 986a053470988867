"""Formats of other systems in plain Python: no Django, no clock, no input or output."""
