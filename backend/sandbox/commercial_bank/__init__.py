"""A commercial bank: its customers' accounts, paid into and out of over the reserve bank."""
