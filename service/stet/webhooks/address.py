"""Where a webhook may be sent: to the public internet, and to hosts that whoever runs the service allows by name.

A name is resolved here, every address that it has is checked, and the connection goes to an address that was checked:
another answer of the name server a moment later changes nothing.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

import httpx

from stet.errors import Malformed

_FORBIDDEN = [
    (ip_network(net), what)
    for what, nets in {
        "unspecified": ("0.0.0.0/8", "::/128"),
        "loopback": ("127.0.0.0/8", "::1/128"),
        "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
        "link-local": ("169.254.0.0/16", "fe80::/10"),
        "site-local": ("fec0::/10",),
        "shared": ("100.64.0.0/10",),
        "multicast": ("224.0.0.0/4", "ff00::/8"),
        "documentation": ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
        "benchmarking": ("198.18.0.0/15",),
        "special-purpose": (
            *("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24"),
            *("100::/64", "2001::/23", "2620:4f:8000::/48", "5f00::/16"),
        ),
        "reserved": ("240.0.0.0/4",),
        # What carries an IPv4 address within it leads wherever that does.
        "mapped": ("::ffff:0:0/96", "::ffff:0:0:0/96"),
        "compatible": ("::/96",),
        "NAT64": ("64:ff9b::/96", "64:ff9b:1::/48"),
        "6to4": ("2002::/16",),
    }.items()
    for net in nets
]
_GLOBAL_IPV6 = ip_network("2000::/3")
"""Of all other addresses of IPv6 none has been given to anybody."""
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*", re.ASCII)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_DEFAULT_PORTS = {"https": 443, "http": 80}
_LOOKUPS = ThreadPoolExecutor(16, "stet lookup")


class NotAllowed(Exception):
    """Nothing may be sent there; says why, and no address."""


class Target(NamedTuple):
    """Where a webhook is sent."""

    url: httpx.URL
    host: str
    """A name, or an address, without brackets."""
    port: int
    allowed: bool
    """Whoever runs the service allows this host and port, whatever its addresses are."""

    @property
    def authority(self) -> str:
        """The header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.url.scheme] else f"{host}:{self.port}"


def parse_target(text: str, allowed_hosts: tuple[str, ...]) -> Target:
    """An address as the sender understands it. Raises Malformed, naming `url`.

    `allowed_hosts` are `host` (at the port of its scheme) or `host:port`, as STET_WEBHOOK_HOSTS has them.
    """
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii").removesuffix(".")
    except (httpx.InvalidURL, ValueError) as error:
        raise Malformed.at("url", "is not an address that exists") from error
    if url.scheme not in _DEFAULT_PORTS:
        raise Malformed.at("url", "must begin with https://")
    if url.userinfo or "#" in text:
        raise Malformed.at("url", "must hold no user, password or fragment")
    if not _NAME.fullmatch(host) and not _is_address(host):
        raise Malformed.at("url", "must name a host, in ASCII (punycode for other scripts)")
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and not _is_address(host):
        raise Malformed.at("url", "must have an address in its usual form, four decimal numbers")
    default = _DEFAULT_PORTS[url.scheme]
    port = default if url.port is None else url.port
    named = f"[{host}]" if ":" in host else host
    allowed = f"{named}:{port}" in allowed_hosts or (port == default and named in allowed_hosts)
    if not allowed and (url.scheme, port) != ("https", 443):
        raise Malformed.at("url", "must be https at port 443: other hosts and ports are allowed by STET_WEBHOOK_HOSTS")
    return Target(url, host, port, allowed)


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, as this machine knows them. Raises OSError where there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


async def addresses_of(
    target: Target, within_s: float = 5.0, lookup: Callable[[str, int], list[str]] = look_up
) -> list[str]:
    """The addresses to connect to, all of them checked.

    Raises NotAllowed where one of them is not public, OSError where the name has none, TimeoutError.
    """
    found = asyncio.get_running_loop().run_in_executor(_LOOKUPS, lookup, target.host, target.port)
    addresses = await asyncio.wait_for(found, within_s)
    for address in () if target.allowed else addresses:
        if what := forbidden(address):
            raise NotAllowed(f"its host has an address that is not public ({what})")
    return addresses


def forbidden(address: str) -> str | None:
    """Why nothing may be sent to an address: what it is; None: it is public."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "malformed"
    if isinstance(parsed, IPv6Address) and parsed.scope_id:
        return "link-local"
    # The first that fits names it; ::/96 holds others.
    for net, what in _FORBIDDEN:
        if parsed in net:
            return what
    return "unassigned" if isinstance(parsed, IPv6Address) and parsed not in _GLOBAL_IPV6 else None


def _is_address(host: str) -> bool:
    try:
        parsed: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        return False
    return not (isinstance(parsed, IPv6Address) and parsed.scope_id)
