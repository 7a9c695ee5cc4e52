"""Top-ups: a payer's money comes in through a channel, as a saga with a durable state."""
