"""Mandates: what a payer lets a device take by itself, and how much."""
