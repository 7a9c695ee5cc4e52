"""Disputes (chargebacks): an issuer or a payer asks a captured payment's money back."""
