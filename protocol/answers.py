"""Signed answers: one signature for a group, an inclusion proof for each of its members.

Signatures are the dearest step of the way, so the backend (and the hub, for its own refusals)
signs the root of an RFC 6962-shaped SM3 tree over the answers of a group; each answer travels
as ``[payload, leaf_index, tree_size, [hash, …], COSE_Sign1(root)]`` and is checked alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocol import cbor, cose, merkle
from protocol.crypto.hashes import sm3
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError
from protocol.limits import ANSWER_BYTES_MAX

VERSION = 1
_ROOT_CONTEXT = b"tillway-answers-v1"


class Key:
    """The integer keys of an answer's payload map; plain numbers, as in ``envelope``."""

    VERSION = 1
    TYPE = 2
    REQUEST_ID = 3
    DEVICE = 4
    ANSWERED_AT_MS = 5
    BODY = 6
    TRACE_ID = 7
    STORE = 8


_NAMES = {number: name.lower() for name, number in vars(Key).items() if name.isupper()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said to one device. ``request_id`` is empty for news nobody asked for (a push)."""

    message_type: str
    request_id: str
    device: str
    store: str
    answered_at_ms: int
    body: Mapping[str, Any]
    trace_id: str


@dataclass(frozen=True, slots=True)
class SealedAnswer:
    """An answer with its proof, not checked yet. ``kid`` names the key that signed the group."""

    answer: Answer
    kid: bytes
    root: bytes | None
    sign1: cose.Sign1

    def verify(self, key: VerifyKey) -> Answer:
        """The answer, once its inclusion and the signature hold; else ``signature_invalid``."""
        if self.root is None or self.sign1.payload != _signed(self.root):
            raise CallerError("signature_invalid", "inclusion proof")
        if not cose.verify1(self.sign1, key):
            raise CallerError("signature_invalid")
        return self.answer


def encode_answer(answer: Answer) -> bytes:
    """The bytes that become a leaf of the tree."""
    return cbor.encode(
        {
            Key.VERSION: VERSION,
            Key.TYPE: answer.message_type,
            Key.REQUEST_ID: answer.request_id,
            Key.DEVICE: answer.device,
            Key.ANSWERED_AT_MS: answer.answered_at_ms,
            Key.BODY: dict(answer.body),
            Key.TRACE_ID: answer.trace_id,
            Key.STORE: answer.store,
        }
    )


def seal_group(answers: Sequence[Answer], key: SigningKey) -> list[bytes]:
    """Sign a group of answers with one signature; the wire form of each, in order."""
    if not answers:
        return []
    payloads = [encode_answer(answer) for answer in answers]
    tree = merkle.Tree(payloads, sm3)
    sign1 = cose.sign1(key, _signed(tree.root))
    return [
        cbor.encode([payload, index, len(payloads), list(tree.proof(index)), sign1])
        for index, payload in enumerate(payloads)
    ]


def unseal(data: bytes) -> SealedAnswer:
    """Take an answer apart without believing it; raises ``envelope_malformed`` if it is broken."""
    parts = cbor.decode(data, bytes_max=ANSWER_BYTES_MAX)
    match parts:
        case [bytes(payload), index, size, [*proof], bytes(signed)] if (
            cbor.is_count(index)
            and cbor.is_count(size)
            and all(isinstance(step, bytes) for step in proof)
        ):
            root = merkle.root_from_proof(payload, index, size, proof, sm3)
            sign1 = cose.parse1(signed)
            return SealedAnswer(_decode(payload), sign1.kid, root, sign1)
    raise CallerError("envelope_malformed")


def _signed(root: bytes) -> bytes:
    return _ROOT_CONTEXT + root


def _decode(payload: bytes) -> Answer:
    fields = cbor.decode(payload, bytes_max=ANSWER_BYTES_MAX)
    if not isinstance(fields, dict):
        raise CallerError("envelope_malformed")
    if not cbor.is_version(fields.get(Key.VERSION), VERSION):
        raise CallerError("envelope_version")
    body = fields.get(Key.BODY)
    at_ms = fields.get(Key.ANSWERED_AT_MS)
    if not isinstance(body, dict) or not cbor.is_count(at_ms):
        raise CallerError("envelope_malformed")
    texts = {}
    for key in (Key.TYPE, Key.REQUEST_ID, Key.DEVICE, Key.STORE, Key.TRACE_ID):
        value = fields.get(key)
        if not isinstance(value, str):
            raise CallerError("envelope_malformed", _NAMES[key])
        texts[key] = value
    return Answer(
        message_type=texts[Key.TYPE],
        request_id=texts[Key.REQUEST_ID],
        device=texts[Key.DEVICE],
        store=texts[Key.STORE],
        answered_at_ms=at_ms,
        body=body,
        trace_id=texts[Key.TRACE_ID],
    )
