"""A money-market fund's company, and the bank that advances its quick redemptions."""
