"""What devices, their states, faults and deeds are called, in both languages."""
