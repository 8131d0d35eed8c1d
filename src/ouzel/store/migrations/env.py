"""Run by Alembic: the connection comes from `migrating`."""

from __future__ import annotations

from alembic import context

from ouzel.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True,
    transactional_ddl=True, transaction_per_migration=False,
)  # fmt: skip
with context.begin_transaction():
    context.run_migrations()
