"""Models that score a payment: forests as plain data, served with what each feature gave."""
