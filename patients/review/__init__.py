"""The history of grades for reviewers: plots, flowsheet, sign-off, what was known when."""
