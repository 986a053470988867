"""Backup, restore and what runs at night: commands of the operator, no part of a request."""
