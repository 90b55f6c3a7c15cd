"""Incidents, found by where they happened."""

from pathlib import Path

from alembic import context, op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    # Verbatim: op.execute would take `:name` for a parameter, and a plain exec_driver_sql would take `%`.
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    if context.is_offline_mode():
        op.get_context().impl.static_output(sql)
    else:
        op.get_bind().exec_driver_sql(sql, execution_options={"no_parameters": True})
