"""Which channel a payment goes through: by the payer's instrument, amount, price and health."""
