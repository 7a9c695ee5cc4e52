"""Alembic's environment: runs on the connection that ``backend.db.migrate`` hands over."""

from alembic import context

from backend.db.tables import BackendTable

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=BackendTable.metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
