"""The page of the scales other than Lee's: criteria, unknowns, and why they differ."""
