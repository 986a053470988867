"""The chart as rows and pages: patients, courses, entries, and the history of their grades."""
