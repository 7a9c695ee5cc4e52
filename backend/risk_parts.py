"""Builds what the risk engine remembers: in this program alone, or with the other backends."""

from functools import partial

import structlog

from backend.config import Settings
from backend.db.ports import RunRead
from backend.db.reading import Reader
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.memory import rebuild
from backend.risk.judging.remembered import Memory, Remembered
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.shared_log import SharedLog
from backend.risk.judging.shared_memory import SharedJoiner, begin_shared
from backend.risk.labels.repository import LabelRepository
from protocol.clock import Clock

_log = structlog.get_logger()


def build_memory(
    settings: Settings, *, reader: Reader, clock: Clock, run_read: RunRead
) -> tuple[Memory, SharedJoiner | None]:
    """The memory, which has been told again what is stored; and with ``risk_redis_url`` who keeps
    it up with the others'."""
    copy = partial(_stored, reader, clock)
    address = settings.risk_redis_address()
    if not address:
        return copy(), None
    open_log = partial(SharedLog.at, address, f"features:{PAYMENT.digest[:16]}")
    memory = begin_shared(open_log, copy)
    return memory, SharedJoiner(memory, open_log=open_log, copy=copy, run_read=run_read)


def _stored(reader: Reader, clock: Clock) -> Remembered:
    decisions, labels = DecisionRepository(reader), LabelRepository(reader)
    memory, count = rebuild(decisions, labels, now_ms=clock.now_ms())
    _log.info("risk_rebuilt", decisions=count)
    return memory
