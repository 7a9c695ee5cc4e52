"""Red packets that merchants' programs give to payers."""
