"""Grading systems: each file is one published table."""
