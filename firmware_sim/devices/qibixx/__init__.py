"""Qibixx' MDB adapter: text lines to a computer, nine-bit words to a vending bus."""
