"""The vending bus: machine, cashless reader and coin changer on nine-bit words."""
