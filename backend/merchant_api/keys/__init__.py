"""Keys of the merchant interface: merchants' certificates and secrets, the platform's pairs."""
