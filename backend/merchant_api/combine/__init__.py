"""Several orders, perhaps of several merchants, that the payer pays at once."""
