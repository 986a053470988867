"""Django's PostgreSQL backend, which verifies a kept connection without a statement."""
