"""The other institutions, each simulated as a program of its own: the reserve bank and others, the
clearing houses, wallets' gateways, a fund, e-CNY's operator and a time stamper.

They share message formats with us (`backend/channels`) and nothing else; they have their own
books, their own clock and their own faults.
"""
