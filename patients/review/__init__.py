"""The history of grades, for who reviews it."""
