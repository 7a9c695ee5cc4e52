"""Carries one batch to the backend and brings back answers that can be believed."""

from collections.abc import Sequence

import structlog

from hub.domain.checking import FindKey, check_answers
from hub.domain.effects import CheckedAnswer, UplinkRow
from hub.line import BackendLine
from hub.words import seal_batch
from hub.workers import Workers
from protocol.clock import Clock, Entropy
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError, OperatingError

log = structlog.get_logger("hub.forwarder")


class Forwarder:
    """Seals and checks on worker threads where there is much to do; sends from the event loop."""

    def __init__(
        self,
        *,
        hub_id: str,
        line: BackendLine,
        signing_key: SigningKey,
        backend_key: FindKey,
        clock: Clock,
        entropy: Entropy,
        workers: Workers,
    ) -> None:
        self._hub_id = hub_id
        self._line = line
        self._signing_key = signing_key
        self._backend_key = backend_key
        self._clock = clock
        self._entropy = entropy
        self._workers = workers

    async def carry(self, rows: Sequence[UplinkRow]) -> tuple[CheckedAnswer | None, ...]:
        """The answers of these rows; None where an answer did not fit its row.

        Raises ``OperatingError`` when there are none to believe (``busy`` where the backend asks to
        come again), ``CallerError`` when it refuses the batch.
        """
        body = await self._workers.run(len(rows), self._seal, rows)
        wires = await self._line.post_batch(body)
        try:
            checked = await self._workers.run(
                len(rows), check_answers, rows, wires, self._backend_key
            )
        except CallerError as error:
            raise OperatingError("backend_unreachable", f"answers: {error}") from error
        for row, answer in zip(rows, checked, strict=True):
            if answer is None:
                log.warning("answer_misfit", device=row.device, request_id=row.request_id)
        return checked

    def _seal(self, rows: Sequence[UplinkRow]) -> bytes:
        return seal_batch(
            rows,
            hub_id=self._hub_id,
            key=self._signing_key,
            clock=self._clock,
            entropy=self._entropy,
        )
