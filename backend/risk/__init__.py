"""Risk: pure rules that judge a payment before money moves."""
