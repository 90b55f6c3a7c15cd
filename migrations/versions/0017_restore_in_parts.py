"""A restore goes in parts: the database checks and takes one while the reader of the file makes the next."""

from pathlib import Path

from alembic import context, op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    # Verbatim: op.execute would take `:name` for a parameter, and a plain exec_driver_sql would take `%`.
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    if context.is_offline_mode():
        op.get_context().impl.static_output(sql)
    else:
        op.get_bind().exec_driver_sql(sql, execution_options={"no_parameters": True})
