"""A page or an app opens a payment in the wallet, and proves that its merchant sent it."""
