"""ISO 8583 in the flavour of UnionPay's POS terminals: frames, fields, MAC, messages. Pure."""
