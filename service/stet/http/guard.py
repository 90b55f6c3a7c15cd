"""Who may not even ask a service without keys: whoever reaches it may write, so web pages must not reach it.

A page of another site can make a browser on this machine send requests here. It cannot hide its Origin, nor, where it
goes by a name that it pointed at this machine (DNS rebinding), the Host that it asked for.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from stet.http.body import StetRequest


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address, or the name is that of this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(100)
def _is_here(host: str) -> bool:
    return is_loopback(urlsplit(f"//{host}").hostname or "")


def forbidden(request: StetRequest) -> str | None:
    """Why the request is not for this service to answer; None = it is."""
    host = request.headers.get("host", "")
    if not _is_here(host):
        return "this service has no keys: it answers to a loopback address or localhost only"
    origin = request.headers.get("origin")
    if origin and request.method not in ("GET", "OPTIONS") and urlsplit(origin).netloc != host:
        return "a page of another origin may not write here"
    return None
