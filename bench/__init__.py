"""Speed, measured side by side with what else could be done on the same machine."""
