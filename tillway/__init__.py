"""The launcher: one command for all rooms, and the demo that plays a shop's day with them."""
