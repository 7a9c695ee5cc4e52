"""Comparing our books with the institutions' own files: orders, ledger, channel, statement."""
