"""UnionPay's gateway for QR codes (ACP 5.1.0), with payers whose telephones a test holds."""
