"""CDS Hooks 2.0: another system asks what to show beside its chart, and is answered by cards."""
