"""A trace for people: each note on one line, with what its bytes say."""

from collections.abc import Iterable

from protocol import answers, batch, envelope
from protocol.errors import CallerError
from tests.simulation.events import Note

_SHOWN = ("payment_id", "refund_id", "state", "amount_minor", "refunded_minor", "method")


def render(notes: Iterable[Note]) -> str:
    """The lines."""
    return "\n".join(
        f"{note.at_ms / 1000:10.3f}s {note.who:8} {note.what}{_describe(note.payload)}"
        for note in notes
    )


def _describe(payload: bytes) -> str:
    if not payload:
        return ""
    for read in (_envelope, _answer, _batch):
        try:
            return " | " + read(payload)
        except CallerError:
            continue
    return f" | {len(payload)} bytes"


def _envelope(payload: bytes) -> str:
    said = envelope.unseal(payload).envelope
    return f"{said.message_type} {said.request_id} #{said.position} {_body(said.body)}"


def _answer(payload: bytes) -> str:
    said = answers.unseal(payload).answer
    return f"{said.message_type} to {said.device} {said.request_id or '(push)'} {_body(said.body)}"


def _batch(payload: bytes) -> str:
    items = batch.unseal(payload).batch.items
    return "; ".join(_envelope(item.envelope) for item in items)


def _body(body: object) -> str:
    assert isinstance(body, dict)
    shown = [f"{name}={body[name]}" for name in _SHOWN if name in body]
    error = body.get("error")
    return " ".join([*shown, f"error={error['code']}"] if error else shown)
