"""Firmware: what was brought, which device is to run what, and how far each has come."""
