"""Rules that judge a payment: written as text, checked once, run one by one and over columns."""
