"""One connection to RabbitMQ, from its beginning to its end, and the tickets that came by it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import aio_pika
import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from backend.notify.limits import (
    QUEUE_CONFIRM_TIMEOUT_S,
    QUEUE_CONNECT_TIMEOUT_S,
    QUEUE_MESSAGE_BYTES_MAX,
    QUEUE_PREFETCH_MESSAGES,
)
from backend.notify.rabbit_topology import Topology
from backend.notify.service import Ticket

LINK_ERRORS = CONNECTION_EXCEPTIONS
_log = structlog.get_logger()


class Waiting(NamedTuple):
    """A ticket and the message that holds it."""

    ticket: Ticket
    message: AbstractIncomingMessage


class Link:
    """Owns what has arrived and waits for a slot. When it is lost, the broker hands all of it out
    again."""

    def __init__(self, exchange: AbstractExchange, changed: Callable[[], None]) -> None:
        self._exchange = exchange
        self._changed = changed
        self.waiting: list[Waiting] = []
        self.is_lost = False

    def lose(self, *_: object) -> None:
        """Give it up: a channel or the connection has ended, or the broker does not confirm."""
        self.is_lost = True
        self._changed()

    async def arrive(self, message: AbstractIncomingMessage) -> None:
        """Take a message in; what is no ticket goes to the dead at once."""
        ticket = read_ticket(message.body)
        if ticket is None:
            _log.warning("callback_message_buried", message_id=message.message_id)
            await bury(message)
            return
        self.waiting.append(Waiting(ticket, message))
        self._changed()

    async def publish(self, ticket: Ticket, routing_key: str) -> bool:
        """Whether the broker has confirmed that a queue keeps it. If not, the link is lost."""
        message = Message(
            json.dumps(ticket._asdict()).encode(),
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=ticket.callback_id,
        )
        try:
            await self._exchange.publish(
                message, routing_key, mandatory=True, timeout=QUEUE_CONFIRM_TIMEOUT_S
            )
        except LINK_ERRORS as error:
            _log.warning("callback_not_queued", callback_id=ticket.callback_id, error=_name(error))
            self.lose()
            return False
        return True


@asynccontextmanager
async def linked(url: str, topology: Topology, changed: Callable[[], None]) -> AsyncIterator[Link]:
    """A link with everything declared, consuming. ``changed`` is called when something arrives
    and when it is lost. Raises ``LINK_ERRORS``."""
    async with asyncio.timeout(QUEUE_CONNECT_TIMEOUT_S):
        connection = await aio_pika.connect(url)
    async with connection:
        publishing = await connection.channel(on_return_raises=True)
        declared = await topology.declare(publishing)
        link = Link(declared.callbacks, changed)
        consuming = await connection.channel()
        for part in (connection, publishing, consuming):
            part.close_callbacks.add(link.lose)
        await consuming.set_qos(prefetch_count=QUEUE_PREFETCH_MESSAGES)
        work = await consuming.get_queue(topology.callbacks)
        await work.consume(link.arrive)
        yield link


def read_ticket(body: bytes) -> Ticket | None:
    """The ticket in a message; None where there is none."""
    if len(body) > QUEUE_MESSAGE_BYTES_MAX:
        return None
    try:
        found: Any = json.loads(body)
        ticket = Ticket(**found)
    except (ValueError, TypeError, RecursionError):
        return None
    is_good = [type(value) for value in ticket] == [str, str, int]
    return ticket if is_good and ticket.callback_id and "\0" not in ticket.callback_id else None


async def acknowledge(message: AbstractIncomingMessage | None) -> None:
    """Tell the broker that the message was used. If the link is lost, the message comes again."""
    with suppress(*LINK_ERRORS):
        if message is not None:
            await message.ack()


async def bury(message: AbstractIncomingMessage | None) -> None:
    """To the dead-letter exchange. Heard as ``acknowledge``."""
    with suppress(*LINK_ERRORS):
        if message is not None:
            await message.reject(requeue=False)


async def give_back(message: AbstractIncomingMessage | None) -> None:
    """To be handed out again. Heard as ``acknowledge``."""
    with suppress(*LINK_ERRORS):
        if message is not None:
            await message.reject(requeue=True)


def _name(error: BaseException) -> str:
    """What an error is, without what it says: that may hold an address."""
    return type(error).__name__
