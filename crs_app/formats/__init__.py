"""Formats of what is typed, for Django's setting FORMAT_MODULE_PATH."""
