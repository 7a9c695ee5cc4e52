"""News for merchants' servers in the form of API v3."""
