"""Merchants' own money: how much there is, and taking it out."""
