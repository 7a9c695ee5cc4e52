"""What devices are set to: what the operator wants, and what each says that is in force."""
