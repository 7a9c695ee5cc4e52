"""TLS on the lines between our own programs: which and over what, not what is said on it."""
