"""``tillway devices`` and ``tillway rollout``: the fleet from the command line."""
