"""Where money may be paid to: filed accounts, and nothing else."""
