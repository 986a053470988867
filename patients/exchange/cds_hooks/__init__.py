"""CDS Hooks 2.0: another system asks what to show with its chart, and is answered by cards."""
