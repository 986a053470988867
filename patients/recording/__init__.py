"""The only room that writes acts, entries, grade periods and checkpoints."""
