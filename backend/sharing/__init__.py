"""Profit sharing (分账): what a merchant earns of a payment goes to several."""
