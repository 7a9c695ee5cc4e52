"""What merchants' programs ask besides: whose code it is, and the sandbox's key."""
