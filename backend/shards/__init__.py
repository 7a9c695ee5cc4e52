"""The ledger over several databases: who lives where, and payments that cross between them."""
