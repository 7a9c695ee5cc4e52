"""Scoring a history of card transactions as if it were happening: nothing later is ever seen."""
