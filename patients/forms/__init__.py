"""What is typed at the bedside. A form parses, complains and asks; it stores nothing."""
