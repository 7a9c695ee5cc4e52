"""A shop's day: the whole stack as separate processes, played through and accounted for."""
