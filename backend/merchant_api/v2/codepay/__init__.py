"""Payments by the payer's code, asked for in XML."""
