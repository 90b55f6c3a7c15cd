"""Lists by what was said: by whom, in which words. Few incidents are looked up before they are put in order.

A page of a list is walked to in its order until enough has been met. That is short where many match, and the whole
ledger where few do; to look all up and to sort them is the other way round. Which of them it is no statistics tell
PostgreSQL, of two columns or of words: so it is told, after a look at some.
"""

from __future__ import annotations

from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql

from stet.database.pool import Connection
from stet.incident.row import source_lexeme
from stet.queries.cut import ReadCut
from stet.queries.filters import Fragments, IncidentFilter, at_cut, both, kept, spoken
from stet.sql import load
from stet.values.words import exactly

_FIND = load("find_few")
FEW = 1_000
# LIMIT: PostgreSQL makes no join of it, for which it would read the whole table.
_SPOKEN: LiteralString = "(SELECT true FROM stet.statement_history s WHERE s.incident_id = h.incident_id"
_SAID: LiteralString = "(SELECT true FROM stet.statement_search s WHERE s.incident_id = h.incident_id"
_WORDED: LiteralString = "s.words @@ %(q)s::tsquery"
_TITLED: LiteralString = "h.words @@ %(q)s::tsquery"
_FOUND: LiteralString = "h.incident_id = ANY (%(found)s)"


async def said_of(
    connection: Connection, ledger_id: UUID, cut: ReadCut, wanted: IncidentFilter, parameters: dict[str, Any]
) -> tuple[Fragments, bool]:
    """The conditions of the filter on what was said, for a page in some order, and whether few match.

    `parameters` has those of the cut and of the filter, with `q`; what else the conditions need is added.
    """
    few, walked = [], []
    if wanted.source is not None:
        parameters["named"] = exactly([source_lexeme(wanted.source)])
        # The words of a statement have the sources in it, whatever they are there: one index for all roles.
        named: Fragments = [*kept(cut), "s.words @@ %(named)s::tsquery", spoken(wanted.role)]
        few.append((named, ["false"]))
        walked.append(_met(_SPOKEN, [*kept(cut), spoken(wanted.role)]))
    if wanted.q is not None:
        few.append(([*kept(cut), _WORDED], [*at_cut(cut), _TITLED]))
        walked.append("(" + _TITLED + " OR " + _met(_SAID, [*kept(cut), _WORDED]) + ")")
    for number, (said, titled) in enumerate(few):
        statement = sql.SQL(_FIND).format(said=both(said), titled=both(titled))
        rows = await (await connection.execute(statement, parameters | {"most": FEW + 1})).fetchall()
        if len(rows) <= FEW:
            parameters["found"] = list({incident_id for (incident_id,) in rows})
            return [_FOUND, *walked[:number], *walked[number + 1 :]], True
    return walked, False


def _met(searched: LiteralString, fragments: Fragments) -> LiteralString:
    conditions: LiteralString = " AND ".join([searched, *fragments])
    return conditions + " LIMIT 1)"
