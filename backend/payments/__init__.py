"""Payments: every step of a payment's life, each in one transaction."""
