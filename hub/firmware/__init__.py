"""Firmware for the store's devices: fetched once from the backend, handed out by the hub."""
