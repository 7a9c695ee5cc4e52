"""What was said on a board's lines, kept as JSON lines, shown, exported and played back."""
