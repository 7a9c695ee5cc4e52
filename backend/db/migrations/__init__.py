"""Alembic's scripts: a branch for each room, so that rooms never clash (see ``migrate``)."""
