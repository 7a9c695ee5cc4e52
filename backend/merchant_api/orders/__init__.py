"""Orders: what a merchant's program asks to be paid."""
