"""The page of the scales beside Lee's: what each says, and why they differ."""
