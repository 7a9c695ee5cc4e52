"""What each transfer is a part of: the money's way through accounts, told in order of time. Pure.

Every number of a transfer is known when it is made: it looks at what came before and never after.
Money is followed for ``FOLLOWED_S``: a transfer carries on the latest one that came in, if about as
much goes out again.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FOLLOWED_S = 3 * 86_400
IDLE_UNKNOWN_S = 400 * 86_400
CARRIED_RATIO_MIN = 0.75
CARRIED_RATIO_MAX = 1.05
RECENT_MAX = 200
"""Transfers of one account that are looked back at."""

NAMES = (
    "depth", "cycle", "gap_in_s", "ratio_in", "src_senders", "src_receivers", "dst_senders",
    "same_origin", "src_idle_s", "dst_idle_s", "is_new_pair", "returned", "src_in_out_ratio",
    "dst_in_sum", "src_same_amounts",
)  # fmt: skip
"""The columns of ``flow_features``."""


@dataclass(slots=True)
class _In:
    """Money that came in: when, from whom, how much, over how many hands, from where first."""

    at: int
    sender: str
    amount: int
    depth: int
    origin: str


@dataclass(slots=True)
class _Account:
    """What one account saw of late."""

    ins: deque[_In] = field(default_factory=lambda: deque(maxlen=RECENT_MAX))
    outs: deque[tuple[int, str, int]] = field(default_factory=lambda: deque(maxlen=RECENT_MAX))
    known: set[str] = field(default_factory=set)
    active_at: int = -1

    def forget(self, before: int) -> None:
        while self.ins and self.ins[0].at < before:
            self.ins.popleft()
        while self.outs and self.outs[0][0] < before:
            self.outs.popleft()


def flow_features(
    transfers: Iterable[tuple[int, str, str, int]], *, size: int
) -> NDArray[np.float64]:
    """``NAMES`` of each transfer ``(t_sec, src, dst, amount_minor)``, which come in order of time:
    a row each."""
    accounts: dict[str, _Account] = {}
    found = np.zeros((size, len(NAMES)))
    for row, (at, src, dst, amount) in enumerate(transfers):
        payer = accounts.get(src)
        if payer is None:
            payer = accounts[src] = _Account()
        payee = accounts.get(dst)
        if payee is None:
            payee = accounts[dst] = _Account()
        payer.forget(at - FOLLOWED_S)
        payee.forget(at - FOLLOWED_S)
        carried = _carried(payer, amount)
        depth = carried.depth + 1 if carried else 1
        origin = carried.origin if carried else src
        found[row] = _features(payer, payee, at, src, dst, amount, carried, origin)
        payee.ins.append(_In(at, src, amount, depth, origin))
        payer.outs.append((at, dst, amount))
        payer.known.add(dst)
        payer.active_at = payee.active_at = at
    return found


def _carried(payer: _Account, amount: int) -> _In | None:
    """The latest money in of which about as much goes out now."""
    for came in reversed(payer.ins):
        if came.amount and CARRIED_RATIO_MIN <= amount / came.amount <= CARRIED_RATIO_MAX:
            return came
    return None


def _features(
    payer: _Account, payee: _Account, at: int, src: str, dst: str, amount: int,
    carried: _In | None, origin: str,
) -> tuple[float, ...]:  # fmt: skip
    last = payer.ins[-1] if payer.ins else None
    came_in = sum(came.amount for came in payer.ins)
    went_out = sum(out[2] for out in payer.outs) + amount
    return (
        carried.depth + 1 if carried else 1,
        carried.depth + 1 if carried and origin == dst else 0,
        at - carried.at if carried else FOLLOWED_S,
        amount / last.amount if last and last.amount else -1,
        len({came.sender for came in payer.ins}),
        len({out[1] for out in payer.outs} | {dst}),
        len({came.sender for came in payee.ins} | {src}),
        sum(came.origin == origin and came.sender != src for came in payee.ins),
        at - payer.active_at if payer.active_at >= 0 else IDLE_UNKNOWN_S,
        at - payee.active_at if payee.active_at >= 0 else IDLE_UNKNOWN_S,
        dst not in payer.known,
        src in payee.known,
        went_out / came_in if came_in else -1,
        sum(came.amount for came in payee.ins) + amount,
        sum(abs(out[2] - amount) <= amount * 0.02 for out in payer.outs),
    )
