"""docs/webhooks.md: the program of the page verifies what is sent, and says what is true."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stet.webhooks.address import _FORBIDDEN
from stet.webhooks.patience import PATIENCE, wait_after
from stet.webhooks.sender import _AT_ONCE, _EACH
from stet.webhooks.signing import new_secret, signed, text_of

PAGE = (Path(__file__).parents[2] / "docs/webhooks.md").read_text(encoding="utf-8")
BODY = b'{"type":"webhook.test"}'
NOW = 1_700_000_000


@pytest.fixture
def verify() -> Callable[..., bool]:
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    found: Callable[..., bool] = names["verify"]
    return found


def test_the_program_of_the_page_verifies(verify: Callable[..., bool]) -> None:
    """With the newer and the older of two secrets; not with another, nor another body, nor what is too old."""
    older, newer = new_secret(), new_secret()
    headers = signed("msg_1", NOW, BODY, [newer, older])
    for secret in (older, newer):
        assert verify(text_of(secret), headers, BODY, NOW + 200)
        assert not verify(text_of(secret), headers, BODY + b" ", NOW)
        assert not verify(text_of(secret), headers | {"webhook-id": "msg_2"}, BODY, NOW)
        assert not verify(text_of(secret), headers | {"webhook-timestamp": str(NOW + 1)}, BODY, NOW)
        assert not verify(text_of(secret), headers, BODY, NOW + 301)
        assert not verify(text_of(secret), headers, BODY, NOW - 301)
    assert not verify(text_of(new_secret()), headers, BODY, NOW)


def test_the_numbers_of_the_page_are_right() -> None:
    text = " ".join(PAGE.split())
    first = [wait_after(n, 0, 0.5) for n in (1, 2, 3)]
    assert "after {:g} seconds, then {:g}, {:g}, and so on up to 6 hours".format(*first) in text
    assert (PATIENCE.longest, PATIENCE.in_all, PATIENCE.widest) == (6 * 3600, 3 * 86_400, 30)
    assert f"keeps {_AT_ONCE} requests under way at most, {_EACH} to one webhook, 1 to one that fails" in text
    for what in {what for _, what in _FORBIDDEN} - {"unspecified", "site-local", "special-purpose"}:
        assert what.casefold() in text.casefold(), what
