"""An operator of e-CNY wallets: payments are final at once, refunds are new payments back."""
