"""Papers for merchants: trade bill, fund-flow bill and settlement statement of a day."""
