"""Closing a day: settle the channel, settle merchants, pay them out, sweep the fees."""
