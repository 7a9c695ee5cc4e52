"""Alipay's open gateway for payments face to face, with buyers whose telephones a test holds."""
