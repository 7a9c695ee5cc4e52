"""The kinds of devices a board can carry: one file each, and the registry that lists them."""
