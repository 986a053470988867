"""The only room that reads: statements, and their rows as plain values."""
