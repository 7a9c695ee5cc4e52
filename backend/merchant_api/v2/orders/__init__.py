"""Orders, asked for in XML."""
