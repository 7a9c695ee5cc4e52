"""Passkeys: a payer's fingerprint or face in the browser, in place of the PIN."""
