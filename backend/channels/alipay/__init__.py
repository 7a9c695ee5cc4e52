"""Alipay's open gateway as a seller's program speaks it: RSA2, payments face to face, bills."""
