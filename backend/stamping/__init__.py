"""Time stamps of a third party (RFC 3161) on what we have signed: checkpoints, reserve tests."""
