"""A time stamper (RFC 3161) of its own: ``openssl ts`` behind HTTP."""
