"""Carries one batch to the backend and brings back answers that can be believed."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from hub.domain.checking import FindKey, check_answers
from hub.domain.effects import CheckedAnswer, UplinkRow
from hub.line import BackendLine
from hub.words import seal_batch
from protocol.clock import Clock, Entropy
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError, OperatingError


class Forwarder:
    """Sealing and checking happen in the worker threads; the sending in the loop."""

    def __init__(
        self,
        *,
        hub_id: str,
        line: BackendLine,
        signing_key: SigningKey,
        backend_key: FindKey,
        clock: Clock,
        entropy: Entropy,
        workers: Executor,
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

        Raises ``OperatingError`` when there are none to believe, ``CallerError`` when the backend
        refuses the batch.
        """
        loop = asyncio.get_running_loop()
        body = await loop.run_in_executor(self._workers, self._seal, rows)
        wires = await self._line.post_batch(body)
        try:
            return await loop.run_in_executor(
                self._workers, check_answers, rows, wires, self._backend_key
            )
        except CallerError as error:
            raise OperatingError("backend_unreachable", f"answers: {error}") from error

    def _seal(self, rows: Sequence[UplinkRow]) -> bytes:
        return seal_batch(
            rows,
            hub_id=self._hub_id,
            key=self._signing_key,
            clock=self._clock,
            entropy=self._entropy,
        )
