"""Stand-ins for parts of Django that save time in a request. Each can be switched off."""
