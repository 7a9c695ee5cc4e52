"""Stocks of coupons that merchants pay for."""
