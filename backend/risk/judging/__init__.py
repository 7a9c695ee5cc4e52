"""A payment is judged before its money moves, and what it was judged by is kept with it."""
