"""Runs the revisions on the connection that ``backend.adapters.migrate`` hands over."""

from alembic import context

from backend.adapters.tables.everything import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
