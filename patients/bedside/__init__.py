"""The page of one course and everything that is sent from it."""
