"""Refunds, asked for in XML."""
