"""Red packets (红包): money that a payer sends in shares to whoever comes first."""
