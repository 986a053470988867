"""Clinical knowledge: how a charted course becomes a grade. Plain Python, no web, no clock."""
