"""The grading engine: pure functions and values, from vocabulary up to history."""
