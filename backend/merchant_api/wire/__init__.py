"""How a call of API v3 is proven, refused and answered."""
