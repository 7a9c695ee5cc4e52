"""A shop's day: the whole stack started as separate processes, played through, and accounted for."""
