"""The numbers under which UnionPay's switch knows our terminal's transactions, kept for good."""
