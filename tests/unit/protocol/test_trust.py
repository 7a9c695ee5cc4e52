"""Whom a device believes: pinned keys, and hubs that the backend introduces."""

from dataclasses import replace
from typing import Any

import pytest

from hub.words import seal_state
from protocol import answers
from protocol.answers import Answer
from protocol.crypto import SigningKey, generate
from protocol.errors import CallerError
from protocol.introduction import Introduction
from protocol.trust import INTRODUCED_MAX, Trust

TID, STORE, AT_MS = "till-1", "store-1", 1_790_000_000_000
BACKEND, PINNED, YOUNG, STRANGER = (generate("ES256") for _ in range(4))
WORD = Introduction("hub-1", STORE, YOUNG.public)


def trust() -> Trust:
    return Trust(tid=TID, store=STORE, backend=[BACKEND.public], hubs=[PINNED.public])


def state(key: SigningKey, introduction: bytes = b"", **changes: Any) -> bytes:
    facts = {"store": STORE, "epoch": 1, "key": key, "introduction": introduction, **changes}
    return seal_state("online", AT_MS, **facts)


def refusal(key: SigningKey) -> bytes:
    said = Answer(
        message_type="refusal",
        request_id="req_1",
        device=TID,
        store=STORE,
        answered_at_ms=AT_MS,
        body={"error": {"code": "busy"}},
        trace_id="",
    )
    return answers.seal_group([said], key)[0]


def test_a_hub_whose_key_is_younger_than_the_device_is_believed_when_it_is_introduced() -> None:
    device = trust()
    with pytest.raises(CallerError, match="signature_invalid"):
        device.open(refusal(YOUNG))
    assert device.hub_state(state(YOUNG, WORD.seal(BACKEND))).mode == "online"
    assert not device.open(refusal(YOUNG)).is_backend
    assert device.hub_state(state(YOUNG)).mode == "online", "it is known now"
    assert device.hub_state(state(PINNED)).mode == "online", "as the one that was pinned"


@pytest.mark.parametrize(
    ("introduction", "code"),
    [
        (b"", "signature_invalid"),
        (WORD.seal(STRANGER), "signature_invalid"),
        (WORD.seal(PINNED), "signature_invalid"),
        (replace(WORD, key=STRANGER.public).seal(BACKEND), "identity_mismatch"),
        (replace(WORD, store="store-2").seal(BACKEND), "identity_mismatch"),
        (WORD.seal(BACKEND)[:-1] + b"\0", "signature_invalid"),
        (b"\xf6", "envelope_malformed"),
        (bytes(2_000), "envelope_too_large"),
    ],
)
def test_nobody_else_introduces_a_hub(introduction: bytes, code: str) -> None:
    device = trust()
    with pytest.raises(CallerError, match=code):
        device.hub_state(state(YOUNG, introduction))
    with pytest.raises(CallerError, match="signature_invalid"):
        device.open(refusal(YOUNG))


def test_an_introduction_is_no_key_to_another_signature() -> None:
    with pytest.raises(CallerError, match="identity_mismatch"):
        trust().hub_state(state(STRANGER, WORD.seal(BACKEND)))


def test_only_so_many_are_remembered_and_a_hub_shows_its_own_again() -> None:
    device, keys = trust(), [generate("ES256") for _ in range(INTRODUCED_MAX + 1)]
    for key in keys:
        device.hub_state(state(key, replace(WORD, key=key.public).seal(BACKEND)))
    with pytest.raises(CallerError, match="signature_invalid"):
        device.hub_state(state(keys[0]))
    assert device.hub_state(state(keys[-1])).mode == "online"
