"""Contracts and their debits, asked for in XML."""
