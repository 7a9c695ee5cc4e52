"""Where a merchant's program tries its signatures, encryption and callbacks."""
