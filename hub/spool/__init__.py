"""What the hub must not forget: envelopes, answers, pushes, positions, the device table."""
