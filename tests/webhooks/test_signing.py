"""Signatures are those of Standard Webhooks."""

from __future__ import annotations

import base64
from uuid import UUID

from stet.webhooks.signing import message_id, new_secret, signed, text_of

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_vector_of_the_reference_libraries() -> None:
    """The example that the reference implementations test themselves with."""
    headers = signed(ID, TIMESTAMP, BODY, [SECRET])
    assert headers == {"webhook-id": ID, "webhook-timestamp": "1614265330", "webhook-signature": SIGNATURE}


def test_each_secret_signs() -> None:
    """While a secret is being changed both signatures are there, with a space between them."""
    both = signed(ID, TIMESTAMP, BODY, [b"x" * 32, SECRET])["webhook-signature"].split(" ")
    assert len(both) == 2
    assert both[1] == SIGNATURE
    assert both[0] != SIGNATURE


def test_a_secret_is_long_and_another_each_time() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert text_of(first).startswith("whsec_")
    assert base64.b64decode(text_of(first).removeprefix("whsec_")) == first
    assert 24 <= len(first) <= 64


def test_an_id_is_of_one_webhook_stream_and_position() -> None:
    one, other = UUID(int=1), UUID(int=2)
    ids = {message_id(webhook, stream, at) for webhook in (one, other) for stream in ("a", "b") for at in (1, 11)}
    assert len(ids) == 8
    assert message_id(one, "a", 1) == message_id(one, "a", 1)
