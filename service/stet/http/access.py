"""Who asks, what he may see, and the least role of each operation."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from stet.envelope import Audience
from stet.http.body import StetRequest
from stet.keys.roles import Role

Least = Literal["anybody", "public"] | Role
"""`anybody` needs no key; `public` needs none where the ledger is public, and else a reader's."""


class Access(Struct, frozen=True, kw_only=True):
    """Who asks, as far as one ledger, or the whole installation, is concerned."""

    actor: str
    """What an event says of who made it."""
    audience: Audience
    """Whose view of the ledger he is given."""
    role: Role | None = None
    """His role in the ledger; outside of one, the scope of his key. None: he is no member, or has no key."""

    @property
    def contributes(self) -> bool:
        """Whether what he says waits for a review, in a ledger that holds it."""
        return self.role == "contributor"

    @property
    def asker(self) -> str | None:
        """Of whom only he himself, and what he made, is shown; None: he may know of all."""
        return None if self.role == "owner" else self.actor


EVERYBODY = Access(actor="local", audience="member", role="owner")
"""Whoever can reach the loopback address, where there are no keys."""
NOBODY = Access(actor="nobody", audience="public")
"""Who shows no key."""


def access_of(request: StetRequest) -> Access:
    """Who sent the request."""
    found: Access = request.scope["state"].get("access", NOBODY)
    return found


_PUBLIC = (
    *("getLedger", "listAttributes", "getAttribute", "listReleases", "getRelease", "getStats"),
    *("listSources", "getSource", "getSourceRecord", "listDocuments", "getDocument"),
    *("listIncidents", "getIncident", "getMatrix", "explainAttribute", "diffIncident", "getTimeline", "listSimilar"),
    *("listIncidentEvents", "listRevisions", "listStatements", "getStatement", "listAllStatements"),
    *("getTimeMap", "getIncidentTimeMap", "listChanges", "listEvents"),
    *("listRecords", "getRecordsProgress", "exportIncidents", "getAtomFeed"),
    *("getCheckpoint", "getInclusionProof", "getConsistencyProof"),
)
_OPERATION = ("listProjections", "startRebuild", "retryParked", "listRebuilds", "getRebuild", "cancelRebuild")
_WEBHOOKS = (
    *("createWebhook", "listWebhooks", "getWebhook", "deleteWebhook", "reviseWebhook"),
    *("rotateSecret", "replayWebhook", "testWebhook", "listDeliveries"),
)
LEAST: dict[str, Least] = {
    "listLedgers": "anybody",
    "createLedger": "owner",
    **dict.fromkeys(_PUBLIC, "public"),
    **dict.fromkeys(("registerSource", "registerDocument", "openIncident"), "contributor"),
    **dict.fromkeys(("recordStatement", "publishRecords"), "contributor"),
    **dict.fromkeys(("reviseSource", "reviseDocument", "reviseIncident", "publishRelease"), "editor"),
    **dict.fromkeys(("reviseLedger", "defineAttribute"), "admin"),
    **dict.fromkeys(("listMembers", "setMember", "removeMember", "listLedgerAudit"), "admin"),
    # To propose a redaction, and to confirm one, is a revision that takes the role admin.
    "listRedactions": "admin",
    **dict.fromkeys(("listProposals", "previewMerge"), "reader"),
    **dict.fromkeys(_WEBHOOKS, "admin"),
    # Of keys, each is shown itself and those that it made, and changes no others.
    **dict.fromkeys(("listKeys", "getKey", "rotateKey", "revokeKey"), "reader"),
    "createKey": "admin",
    "listAudit": "owner",
    **dict.fromkeys(_OPERATION, "owner"),
}
"""Every operation under /v1, and the least role that it takes. One that is not here is refused."""
