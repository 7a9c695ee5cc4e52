"""Names against the lists of those with whom nobody may deal."""
