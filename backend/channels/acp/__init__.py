"""UnionPay's QR gateway (ACP 5.1.0) as an acquirer's program speaks it: forms and files."""
