"""What the hub logs of its own: refusals, each or counted."""

import logging
from collections import Counter
from collections.abc import Iterable

import structlog

from hub.domain.effects import Speak
from transport import logs

_log = structlog.get_logger("hub")
_PUT_OFF = {"busy": "hub_busy", "spool_unwritable": "hub_disk_full"}


def configure() -> None:
    """Set the process up to log JSON. Called once, by the program's entry."""
    logs.configure()
    # aiocoap tells of every odd datagram that a stranger sends; the metrics count them.
    logging.getLogger("coap-server").setLevel(logging.ERROR)


def log_words(words: Iterable[Speak]) -> None:
    """Tell what the hub refuses; of what comes again by itself only how often, for a line each
    would cost a hub that has too much to do a tenth of the refusal again."""
    put_off: Counter[str] = Counter()
    for word in words:
        if word.code in _PUT_OFF:
            put_off[word.code] += 1
            continue
        _log.info(
            "hub_refused",
            code=word.code,
            device=word.answer.device,
            request_id=word.answer.request_id,
            trace_id=word.answer.trace_id,
            transport=word.transport,
        )
    for code, items in put_off.items():
        _log.info(_PUT_OFF[code], items=items)
