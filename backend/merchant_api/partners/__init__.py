"""Service providers, whose programs act for other merchants."""
