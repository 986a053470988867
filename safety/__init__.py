"""The safety file: reads the hazards of docs/safety, and writes its matrix and its components."""
