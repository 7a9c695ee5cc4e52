"""``tillway risk``: judge payments, devices and accounts from the command line."""
