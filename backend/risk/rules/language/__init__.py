"""The language of the rules: a total, typed subset of CEL (Common Expression Language)."""
