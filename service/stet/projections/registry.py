"""All projections."""

from __future__ import annotations

from stet.errors import NotFound
from stet.projections import history, names, restriction, source_record
from stet.projections.projection import Projection

PROJECTIONS: tuple[Projection, ...] = (
    history.PROJECTION,
    names.PROJECTION,
    restriction.PROJECTION,
    source_record.PROJECTION,
)


def projection_of(name: str) -> Projection:
    """The projection of that name. Raises NotFound."""
    for projection in PROJECTIONS:
        if projection.name == name:
            return projection
    known = ", ".join(one.name for one in PROJECTIONS)
    raise NotFound(f"there is no projection {name[:100]}: there are {known}")
