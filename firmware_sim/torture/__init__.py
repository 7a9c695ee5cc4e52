"""What a driver does on a bad line: one run for each fault of a table."""
