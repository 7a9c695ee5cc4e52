"""Payments: created, captured, declined, closed, expired, reversed; every step in one transaction."""
