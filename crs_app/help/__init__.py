"""Help in the product: for each role the ten things it does, in order, in plain words."""
