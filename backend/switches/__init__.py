"""Kill switches: no new payment of a merchant, of a device, or through a channel."""
