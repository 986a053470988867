"""Stand-ins for parts of Django that save time in a request. Each can be switched off."""

REVIEWED_DJANGO = (5, 2)
