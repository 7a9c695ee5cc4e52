"""UnionPay's switch, simulated: a line of ISO 8583, and the issuers of the cards behind it."""
