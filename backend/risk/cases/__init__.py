"""Cases: what the engine found and two people decide."""
