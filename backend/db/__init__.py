"""The database under the backend: one writer that commits in groups, readers that cannot write."""
