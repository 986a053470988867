"""The benchmark: the product's times as ratios to those of a minimal Django application."""
