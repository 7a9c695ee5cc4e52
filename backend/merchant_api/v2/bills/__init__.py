"""A day's bills, asked for in XML."""
