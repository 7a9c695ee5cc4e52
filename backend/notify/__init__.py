"""Telling others: pushes to devices and callbacks to merchants, through an outbox."""
