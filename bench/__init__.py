"""What the product costs, as ratios to the least that a Django application of its kind can cost."""
