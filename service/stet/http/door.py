"""What a process knows of keys by itself: the owner's, its own, the pepper, and how often each key was used."""

from __future__ import annotations

import hmac
import secrets

from stet.http.access import EVERYBODY, Access
from stet.http.limits import Limits
from stet.keys.pepper import find_pepper
from stet.keys.text import masked
from stet.settings import Settings

_FAILURES_A_SECOND, _FAILURES_AT_ONCE = 1, 30
_NO_PEPPER = b"there is none: no digest is of it"
_OWNER = Access(actor="owner", audience="member", role="owner")


class Door:
    """The keys that one process takes beside those of the database, and how often each has asked."""

    def __init__(self, settings: Settings, *, keyless: bool) -> None:
        self.keyless = keyless
        """Nobody needs a key, and no key is looked at: only this machine may reach such a process."""
        self.own_key = secrets.token_urlsafe(32)
        """With it the process asks itself; it acts as everybody does where there are no keys."""
        self.requests = Limits(settings.rate_limit, settings.rate_burst)
        self.failures = Limits(_FAILURES_A_SECOND, _FAILURES_AT_ONCE)
        self._settings = settings
        self._pepper: bytes | None = None

    def owner_of(self, text: str) -> Access | None:
        """Whose key it is, if it is one that is stored nowhere."""
        found = None
        for key, access in ((self._settings.owner_key, _OWNER), (self.own_key, EVERYBODY)):
            if key is not None and hmac.compare_digest(key.encode(), text.encode()):
                found = access
        return found

    def pepper(self) -> bytes:
        """The pepper; where there is none yet, one that no digest was made with."""
        self._pepper = self._pepper or find_pepper(self._settings)
        return self._pepper or _NO_PEPPER

    def masked(self, text: str) -> str:
        """A text for others to read, without keys, wherever somebody put one."""
        text = masked(text)
        return text.replace(self._settings.owner_key, "***") if self._settings.owner_key else text
