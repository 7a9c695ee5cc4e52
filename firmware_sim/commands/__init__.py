"""The sub-commands of ``tillway sim``."""
