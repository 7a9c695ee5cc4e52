"""What every institution of the sandbox is made of: books, clock, faults, signed lines."""
