"""The other institutions as we see them: message formats, and one adapter each."""
