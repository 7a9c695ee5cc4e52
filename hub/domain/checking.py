"""Checks of what the backend says, before a device hears it. Pure; runs in the worker threads."""

from collections.abc import Callable, Sequence

from hub.domain.effects import CheckedAnswer, UplinkRow
from protocol import answers
from protocol.crypto.keys import VerifyKey
from protocol.envelope import SealedEnvelope
from protocol.errors import CallerError

FindKey = Callable[[bytes], VerifyKey]
"""A pinned key of the backend by its kid; ``CallerError("signature_invalid")`` for another."""


def is_signed(sealed: SealedEnvelope, key: VerifyKey) -> bool:
    """Whether this key signed the envelope."""
    try:
        sealed.verify(key)
    except CallerError:
        return False
    return True


def check_answers(
    rows: Sequence[UplinkRow], wires: Sequence[bytes], find_key: FindKey
) -> tuple[CheckedAnswer, ...]:
    """The answers of a batch, one for each row in its order, every one signed by the backend.

    Raises ``CallerError`` if one is missing, speaks of another request, or is not signed.
    """
    if len(wires) != len(rows):
        raise CallerError("envelope_malformed", "number of answers")
    opened = open_group(wires, find_key)
    for row, answer in zip(rows, opened, strict=True):
        if (answer.request_id, answer.device) != (row.request_id, row.device):
            raise CallerError("envelope_malformed", "answer of another request")
    return tuple(
        CheckedAnswer(answer.request_id, answer.device, wire)
        for answer, wire in zip(opened, wires, strict=True)
    )


def open_group(wires: Sequence[bytes], find_key: FindKey) -> list[answers.Answer]:
    """Open signed answers; a signature that several share is checked once.

    Sharing means: the same signed bytes and the same root, which each answer's own inclusion
    proof leads to. Raises ``CallerError`` at the first that does not hold.
    """
    good: set[tuple[bytes, bytes, bytes, bytes]] = set()
    opened = []
    for wire in wires:
        sealed = answers.unseal(wire)
        signature = sealed.sign1
        root = sealed.root or b""
        mark = (signature.protected, signature.payload, signature.signature, root)
        if mark not in good:
            sealed.verify(find_key(signature.kid))
            good.add(mark)
        opened.append(sealed.answer)
    return opened
