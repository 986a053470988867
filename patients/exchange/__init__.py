"""In and out of other systems: one file for each format."""
