"""What callbacks need in RabbitMQ, declared by ourselves: names, queues, and what leads where.

    exchange tillway.callbacks --work--> queue tillway.callbacks --rejected--> exchange tillway.dead
                  |     ^                                                             |
             retry.GAP  | after GAP ms                                                v
                  v     |                                        queue tillway.callbacks.dead
             queue tillway.callbacks.retry.GAP, one for each length of a gap

All are durable classic queues, everything is bounded. Not quorum queues: RabbitMQ 3.10.8, killed
and started again, loses what expires in one while it is down (docs/adr/callback-queue.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue

from backend.notify.limits import QUEUE_MESSAGES_MAX

WORK = "work"


@dataclass(frozen=True, slots=True)
class Declared:
    """The parts that programs use by hand: where messages go in, and where they come out."""

    callbacks: AbstractExchange
    work: AbstractQueue


@dataclass(frozen=True, slots=True)
class Topology:
    """The names below one prefix, for one table of gaps."""

    prefix: str
    gaps_ms: Sequence[int]

    @property
    def callbacks(self) -> str:
        """The exchange, and the queue of those to be tried now."""
        return f"{self.prefix}.callbacks"

    @property
    def dead(self) -> str:
        """The dead-letter exchange."""
        return f"{self.prefix}.dead"

    @property
    def buried(self) -> str:
        """The queue of the dead."""
        return f"{self.callbacks}.dead"

    def retry(self, gap_ms: int) -> str:
        """The queue in which a message waits this long."""
        return f"{self.callbacks}.retry.{gap_ms}"

    def queues(self) -> dict[str, dict[str, Any]]:
        """Every queue with its arguments. Those of a queue that exists cannot be changed: other
        arguments need another name."""
        bounded = {"x-queue-type": "classic", "x-max-length": QUEUE_MESSAGES_MAX}
        refusing = {**bounded, "x-overflow": "reject-publish"}
        again = {"x-dead-letter-exchange": self.callbacks, "x-dead-letter-routing-key": WORK}
        return {
            self.callbacks: {**refusing, "x-dead-letter-exchange": self.dead},
            self.buried: {**bounded, "x-overflow": "drop-head"},
            **{
                self.retry(gap_ms): {**refusing, **again, "x-message-ttl": gap_ms}
                for gap_ms in sorted(set(self.gaps_ms))
            },
        }

    async def declare(self, channel: AbstractChannel) -> Declared:
        """Make what is missing."""
        callbacks = await channel.declare_exchange(
            self.callbacks, ExchangeType.DIRECT, durable=True
        )
        dead = await channel.declare_exchange(self.dead, ExchangeType.FANOUT, durable=True)
        made = {
            name: await channel.declare_queue(name, durable=True, arguments=arguments)
            for name, arguments in self.queues().items()
        }
        await made[self.buried].bind(dead)
        await made[self.callbacks].bind(callbacks, WORK)
        for gap_ms in set(self.gaps_ms):
            await made[self.retry(gap_ms)].bind(callbacks, self.retry(gap_ms))
        return Declared(callbacks, made[self.callbacks])
