"""Service orders (payscore): the payer agrees first, and is debited when the service is done."""
