"""Reports of suspicious transactions: from the alert to what was filed."""
