"""The adapter to a payment channel of the sandbox: JSON over the institution's signed HTTP."""

import json
from collections.abc import Collection
from datetime import date
from typing import Any

from backend.channels.day_file import DayFile
from backend.channels.facts import ChannelFacts
from backend.channels.institution import Institution
from backend.channels.limits import ANSWER_TEXT_CHARS_MAX
from backend.channels.model import ChannelAnswer, PayOrder, PayoutOrder, RefundOrder
from protocol.errors import CallerError, OperatingError

_STATES = frozenset({"succeeded", "refused", "reversed"})
_OF_REVERSALS = frozenset({"refused", "reversed"})
_OF_REFUNDS = frozenset({"succeeded", "refused"})


class HttpChannel:
    """``ChannelPort`` over connections of its own to the institution, one address below it."""

    def __init__(self, institution: Institution, *, prefix: str, facts: ChannelFacts) -> None:
        self._institution = institution
        self.facts = facts
        self._prefix = prefix

    async def pay(self, order: PayOrder) -> ChannelAnswer:
        """``ChannelPort.pay``."""
        content: dict[str, Any] = {
            "order_id": order.order_id,
            "token": order.token,
            "amount_minor": order.amount.amount_minor,
            "currency": order.amount.currency,
        }
        return await self._say("/orders", order.order_id, content, _STATES)

    async def query(self, order: PayOrder) -> ChannelAnswer | None:
        """``ChannelPort.query``."""
        return await self._query("/orders", order.order_id, _STATES)

    async def reverse(self, order: PayOrder) -> ChannelAnswer:
        """``ChannelPort.reverse``."""
        said_id = order.order_id
        return await self._say(f"/orders/{said_id}/reversal", said_id, {}, _OF_REVERSALS)

    async def refund(self, order: RefundOrder) -> ChannelAnswer:
        """``ChannelPort.refund``."""
        named = {"order_id": order.order_id}
        if order.is_by_reference:
            named = {"number": order.order_reference}
        content: dict[str, Any] = {
            "refund_id": order.refund_id,
            **named,
            "amount_minor": order.amount.amount_minor,
            "currency": order.amount.currency,
        }
        return await self._say("/refunds", order.refund_id, content, _OF_REFUNDS)

    async def find(self, order: RefundOrder) -> ChannelAnswer | None:
        """``ChannelPort.find``."""
        return await self._query("/numbers", order.order_reference, _STATES)

    async def query_refund(self, order: RefundOrder) -> ChannelAnswer | None:
        """``ChannelPort.query_refund``."""
        return await self._query("/refunds", order.refund_id, _OF_REFUNDS)

    async def payout(self, order: PayoutOrder) -> ChannelAnswer:
        """``ChannelPort.payout``: not offered."""
        raise CallerError("channel_unavailable", order.payout_id)

    async def query_payout(self, order: PayoutOrder) -> ChannelAnswer | None:
        """``ChannelPort.query_payout``: not offered."""
        raise CallerError("channel_unavailable", order.payout_id)

    async def settle(self, day: date) -> None:
        """``DayPort.settle``."""
        await self._ask("POST", f"/days/{day}/settlement")

    async def day_file(self, day: date) -> DayFile:
        """``DayPort.day_file``."""
        path = f"{self._prefix}/days/{day}/file"
        return await self._institution.fetch_day(path, day, line=self._prefix)

    async def _say(
        self, path: str, said_id: str, content: dict[str, Any], states: Collection[str]
    ) -> ChannelAnswer:
        body = json.dumps(content).encode()
        answer = await self._ask("POST", path, body)
        if answer is None:
            raise OperatingError("internal", "the channel knows nothing of it")
        return _answer(answer, said_id, states)

    async def _query(
        self, path: str, said_id: str, states: Collection[str]
    ) -> ChannelAnswer | None:
        answer = await self._ask("GET", f"{path}/{said_id}")
        return None if answer is None else _answer(answer, said_id, states)

    async def _ask(self, method: str, path: str, body: bytes = b"") -> bytes | None:
        address = f"{self._prefix}{path}"
        return await self._institution.ask(method, address, body, line=self._prefix)


def _answer(content: bytes, said_id: str, states: Collection[str]) -> ChannelAnswer:
    """The channel's word, if it is one about what we asked; anything else leaves it unknown."""
    try:
        match json.loads(content):
            case {
                "order_id": str(said),
                "state": ("succeeded" | "refused" | "reversed") as state,
                "reason": str(reason),
                "reference": str(reference),
                "day": str(day),
            } if said == said_id and state in states and _is_short(reason, reference):
                settled_on = date.fromisoformat(day).isoformat()
                return ChannelAnswer(said, state, reason, reference, settled_on)
    except (ValueError, RecursionError):
        pass
    raise OperatingError("internal", "the channel's answer makes no sense")


def _is_short(*texts: str) -> bool:
    """Whether these are words that we can keep."""
    return all(len(text) <= ANSWER_TEXT_CHARS_MAX and text.isprintable() for text in texts)
