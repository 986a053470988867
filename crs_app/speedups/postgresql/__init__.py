"""Django's PostgreSQL backend, which asks nothing of a connection that nobody has closed."""
