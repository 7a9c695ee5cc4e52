"""What people do at the till beside payments: who they are, shifts, cash, training."""
