"""The payer's side: accounts, pay codes, scanning a merchant's code, confirming."""
