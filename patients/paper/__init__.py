"""What is printed of a course: its history from the infusion on, on A4 or Letter."""
