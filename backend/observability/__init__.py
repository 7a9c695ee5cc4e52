"""Logs that never hold a secret, metrics of this process, health."""
