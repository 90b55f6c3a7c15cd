"""Nothing is sent to an address that is not public, however it is written."""

from __future__ import annotations

import threading

import pytest

from stet.errors import Malformed
from stet.settings import read_settings
from stet.webhooks.address import NotAllowed, addresses_of, forbidden, parse_target

FORBIDDEN = {
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fdff:ffff::1"],
    "link-local": ["169.254.169.254", "fe80::1", "febf::1", "fe80::1%eth0"],
    "site-local": ["fec0::1"],
    "shared": ["100.64.0.1", "100.127.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarking": ["198.18.0.1", "198.19.255.255"],
    "special-purpose": ["192.0.0.8", "192.0.0.170", "192.88.99.1", "192.175.48.1", "2001::1", "2001:2::1", "100::1"],
    "reserved": ["240.0.0.1", "255.255.255.255"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1"],
    "compatible": ["::127.0.0.1", "::a00:1", "::8.8.8.8"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1"],
    "6to4": ["2002:7f00:1::", "2002:808:808::1"],
    "unassigned": ["4000::1", "200::1", "1::"],
    "malformed": ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost", ""],
}
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize(("what", "text"), [(what, text) for what, texts in FORBIDDEN.items() for text in texts])
def test_a_forbidden_address_is_named(what: str, text: str) -> None:
    assert forbidden(text) == what


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_not_forbidden(text: str) -> None:
    assert forbidden(text) is None


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "ftp://example.org/", "//example.org/", "example.org", "https://", "https:///x", ""),
        *("https://example.org:8443/", "https://example.org:0/", "https://example.org:99999/", "https://x:y/"),
        *("https://user@example.org/", "https://user:word@example.org/", "https://example.org@127.0.0.1/"),
        *("https://example.org\\@127.0.0.1/", "https://example.org/#x", "https://exa mple.org/", "https://ex\tample/"),
        *("https://example.org\n/", "https://[fe80::1%25eth0]/", "https://[v1.x]/", "https://%31%32%37.0.0.1/"),
        *("https://0x7f.1/", "https://2130706433/", "https://127.1/", "https://0177.0.0.1/", "https://0x7f000001/"),
        *("https://127.0.0x1/", "https://1.2.3.4.5/", "https://①②⑦.0.0.1/", "https://-a.org/", "https://a..b/"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_target(url, ())
    assert [error.field for error in refused.value.errors] == ["url"]


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://[::1]/", "https://localhost/", "https://LOCALHOST./", "https://0.0.0.0/"),
        *("https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://169.254.169.254/latest/meta-data/"),
        *("https://127。0。0。1/", "https://10.0.0.1:443/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/"),
    ],
)
async def test_what_leads_to_a_forbidden_address_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed, match="not public"):
        await addresses_of(parse_target(url, ()))


async def test_one_forbidden_address_among_others_is_enough() -> None:
    """A name server that mixes them is not to be trusted; and of each look-up the answer is checked anew."""
    answers = [["8.8.8.8", "10.0.0.1"], ["8.8.8.8"], ["127.0.0.1"]]
    target = parse_target("https://example.org/", ())
    with pytest.raises(NotAllowed, match="private"):
        await addresses_of(target, lookup=lambda *_: answers.pop(0))
    assert await addresses_of(target, lookup=lambda *_: answers.pop(0)) == ["8.8.8.8"]
    with pytest.raises(NotAllowed, match="loopback"):
        await addresses_of(target, lookup=lambda *_: answers.pop(0))


async def test_a_name_server_that_does_not_answer_is_not_waited_for() -> None:
    answered = threading.Event()

    def never(host: str, port: int) -> list[str]:
        answered.wait(20)
        return []

    try:
        with pytest.raises(TimeoutError):
            await addresses_of(parse_target("https://example.org/", ()), 0.01, never)
    finally:
        answered.set()


async def test_an_allowed_host_is_allowed_exactly() -> None:
    """By name or address, at its port, by http or https; no other port, and no name that only begins so."""
    allowed = ("127.0.0.1:8080", "receiver.test", "[::1]:9000")
    for url in ("http://127.0.0.1:8080/x", "https://127.0.0.1:8080/", "http://[::1]:9000/"):
        target = parse_target(url, allowed)
        assert target.allowed
        assert await addresses_of(target) == [target.host]
    for url, authority in (
        ("http://receiver.test/", "receiver.test"),
        ("https://RECEIVER.test:443/", "receiver.test"),
        ("http://[::1]:9000/", "[::1]:9000"),
    ):
        assert parse_target(url, allowed).authority == authority
    for url in ("http://127.0.0.1:8081/", "http://receiver.test:8080/", "http://receiver.test.org/", "http://[::1]/"):
        with pytest.raises(Malformed):
            parse_target(url, allowed)
    assert not parse_target("https://127.0.0.1/", allowed).allowed


def test_the_setting_lists_hosts() -> None:
    """Separated by commas, in any case; what is no host ends the command, by the variable's name."""
    assert read_settings({}).webhook_hosts is None
    hosts = read_settings({"STET_WEBHOOK_HOSTS": " Receiver.test , 10.0.0.1:8080,[::1]:9000,"}).webhook_hosts
    assert hosts == ("receiver.test", "10.0.0.1:8080", "[::1]:9000")
    for wrong in ("https://receiver.test", "a b", "receiver.test/x", "*", "::1", "receiver.test:port"):
        with pytest.raises(ValueError, match="STET_WEBHOOK_HOSTS must be host or host:port"):
            read_settings({"STET_WEBHOOK_HOSTS": wrong})
