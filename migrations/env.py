"""Alembic's entry: a connection handed over by the caller, or SQL text when offline. No models, no autogenerate."""

from alembic import context

VERSION_TABLE = "stet_migration"

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        version_table=VERSION_TABLE,
        transaction_per_migration=True,
        output_buffer=context.config.output_buffer,
    )
else:
    context.configure(
        connection=context.config.attributes["connection"],
        version_table=VERSION_TABLE,
        transaction_per_migration=True,
    )

with context.begin_transaction():
    context.run_migrations()
