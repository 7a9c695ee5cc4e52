"""Profit sharing for merchants' programs."""
