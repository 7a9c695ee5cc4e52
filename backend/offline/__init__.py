"""Offline payments: vouchers that phones take along, and what becomes of their tokens on return."""
