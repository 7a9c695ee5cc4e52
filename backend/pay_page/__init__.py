"""The page behind a code that every wallet can scan: it sends each to where it pays."""
