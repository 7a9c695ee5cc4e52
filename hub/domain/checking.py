"""Checks of what the backend says, before a device hears it. Pure; may run in a worker thread."""

from collections.abc import Callable, Sequence

from hub.domain.effects import CheckedAnswer, UplinkRow
from protocol import answers
from protocol.crypto.keys import VerifyKey
from protocol.envelope import SealedEnvelope
from protocol.errors import CallerError

FindKey = Callable[[bytes], VerifyKey]
"""A pinned key of the backend by its kid; ``CallerError("signature_invalid")`` for another."""

_Mark = tuple[bytes, bytes, bytes, bytes]


def is_signed(sealed: SealedEnvelope, key: VerifyKey) -> bool:
    """Whether this key signed the envelope."""
    try:
        sealed.verify(key)
    except CallerError:
        return False
    return True


def check_answers(
    rows: Sequence[UplinkRow], wires: Sequence[bytes], find_key: FindKey
) -> tuple[CheckedAnswer | None, ...]:
    """The answers of a batch in the order of its rows, every one signed by the backend.

    None stands for an answer that cannot be read, is not signed or speaks of another request: it
    is the fault of that one item. Raises ``CallerError`` if the number of answers is another, or
    if none of them is the backend's: then nobody believable has answered.
    """
    if len(wires) != len(rows):
        raise CallerError("envelope_malformed", "number of answers")
    good: set[_Mark] = set()
    opened = [_open_or_none(wire, find_key, good) for wire in wires]
    if rows and not any(opened):
        raise CallerError("signature_invalid", "no answer to believe")
    return tuple(
        CheckedAnswer(answer.request_id, answer.device, wire)
        if answer is not None and (answer.request_id, answer.device) == (row.request_id, row.device)
        else None
        for row, answer, wire in zip(rows, opened, wires, strict=True)
    )


def open_group(wires: Sequence[bytes], find_key: FindKey) -> list[answers.Answer]:
    """Open signed answers; a signature that several share is checked once.

    Sharing means: the same signed bytes and the same root, which each answer's own inclusion
    proof leads to. Raises ``CallerError`` at the first that does not hold.
    """
    good: set[_Mark] = set()
    return [_open(wire, find_key, good) for wire in wires]


def _open(wire: bytes, find_key: FindKey, good: set[_Mark]) -> answers.Answer:
    sealed = answers.unseal(wire)
    signature = sealed.sign1
    mark = (signature.protected, signature.payload, signature.signature, sealed.root or b"")
    if mark not in good:
        sealed.verify(find_key(signature.kid))
        good.add(mark)
    return sealed.answer


def _open_or_none(wire: bytes, find_key: FindKey, good: set[_Mark]) -> answers.Answer | None:
    try:
        return _open(wire, find_key, good)
    except CallerError:
        return None
