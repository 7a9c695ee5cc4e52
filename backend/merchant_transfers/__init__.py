"""Merchants give money to payers, who take it into their balance when they have said so."""
