"""The central bank: reserve and settlement accounts, and the queue in which they settle."""
