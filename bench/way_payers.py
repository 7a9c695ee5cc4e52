"""Payers for the whole way: founded before the backend starts, with its own commands.

Through the operator's API each payer would cost a slow PIN hash and a top-up; thousands are needed,
because a wallet has four codes in 30 s. Here one PIN hash serves all, and the money comes by the
ledger's own top-up rule, so that the books stay whole.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from backend import state
from backend.clock import SystemClock
from backend.config import load
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.migrate import upgrade_engine
from backend.db.open_store import open_store
from backend.ledger.service import LedgerSeal
from backend.wallet.model import PIN_SALT_BYTES, hash_pin, hash_token
from backend.wallet.service import CreatePayer
from bench.payment_command import FillUp
from protocol.crypto.keys import generate
from protocol.ids import PAYER, RANDOM_BYTES, mint
from protocol.paycode import COUNTERS_PER_STEP, STEP_MS, Position, make_code, wallet_secret

BALANCE_MINOR = 1_000_000
_STEPS_BEHIND = 1
"""The oldest step whose codes are shown: a receiver takes one more, so they live 30 s at least."""


@dataclass(slots=True)
class Wallet:
    """A payer's side: makes each pay code once, in rising order, and may ask by its token."""

    route: int
    secret: bytes = field(repr=False)
    token: str = field(repr=False)
    _used: int = -1

    def code(self, now_ms: int) -> str | None:
        """The next code, or None when this moment has no more."""
        step = now_ms // STEP_MS
        number = max(self._used + 1, (step - _STEPS_BEHIND) * COUNTERS_PER_STEP)
        found = Position(*divmod(number, COUNTERS_PER_STEP))
        if found.step > step:
            return None
        self._used = number
        at_ms = found.step * STEP_MS
        return make_code(self.secret, route=self.route, at_ms=at_ms, counter=found.counter)


def found_payers(config: Path, number: int) -> list[Wallet]:
    """Payers with money, in the database of a backend that does not run."""
    settings = load(config)
    master = state.read(settings).code_master_key
    engine = open_engine(settings.url)
    upgrade_engine(engine)
    writer = GroupCommitWriter(open_store(engine), clock=SystemClock(), seals=(LedgerSeal(),))
    try:
        tokens = [secrets.token_hex(32) for _ in range(number)]
        made = list(_new_payers(tokens))
        rows = [outcome.result for outcome in writer.apply(made)]
        filled = writer.apply([FillUp(one.payer_id, BALANCE_MINOR) for one in made])
        assert all(outcome.error is None for outcome in filled)
    finally:
        writer.close()
        engine.dispose()
    return [
        Wallet(row["route"], wallet_secret(master, row["route"]), token)
        for row, token in zip(rows, tokens, strict=True)
    ]


def _new_payers(tokens: Iterable[str]) -> Iterable[CreatePayer]:
    salt = secrets.token_bytes(PIN_SALT_BYTES)
    pin_hash = hash_pin(f"{secrets.randbelow(10**6):06d}", salt)
    key = generate("Ed25519")
    for token in tokens:
        random_bytes = secrets.token_bytes(RANDOM_BYTES)
        yield CreatePayer(
            payer_id=mint(PAYER, time_ms=SystemClock().now_ms(), random_bytes=random_bytes),
            name="顾客",
            key_suite=key.suite.name,
            key_public=key.public.public,
            pin_salt=salt,
            pin_hash=pin_hash,
            token_hash=hash_token(token),
        )
