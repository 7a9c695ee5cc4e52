"""Tags: short names for what is noticed of a payment or of an account's day."""
