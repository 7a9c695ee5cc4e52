"""Merchants, their stores, fee plans and payout accounts."""
