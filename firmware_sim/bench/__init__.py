"""The tester's bench: pages over one board's control API."""
