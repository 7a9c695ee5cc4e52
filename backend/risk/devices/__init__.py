"""Whether a reading comes from the device it says it comes from."""
