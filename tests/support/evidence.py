"""A ledger with every kind of row: holds in each state, two chains, and all that is derived."""

from pathlib import Path

from backend.db.reading import Reader
from backend.ledger.checkpoints import CheckpointMaker
from backend.ledger.rules import (
    Event,
    balance_held,
    balance_paid,
    balance_refunded,
    hold_expired,
    hold_posted,
    hold_voided,
    merchant_settled,
)
from protocol.crypto import generate
from tests.support.books import DATE, START_MS, Books, Post, open_books
from tests.support.migrated import migrated_sqlite

MAKER = CheckpointMaker("backend", generate("Ed25519"))
CHAINS = ("east", "west")
_PAYMENTS = {"east": 9, "west": 2}


def event(name: str) -> Event:
    return Event(name, "CNY", DATE)


def sign(books: Books, chain: str) -> None:
    """Follow to the end and keep a checkpoint."""
    books.follow()
    reader = Reader.open(books.url)
    try:
        made = MAKER.make(reader, chain, books.clock.ms)
    finally:
        reader.close()
    assert made is not None
    assert books.writer.apply([made])[0].value() is True


def populated(path: Path) -> str:
    """The URL of such a ledger in a new SQLite file."""
    url = migrated_sqlite(path)
    for chain in CHAINS:
        with open_books(url, chain) as books:
            fill(books, chain)
    return url


def fill(books: Books, chain: str) -> None:
    """Ten groups or twenty on one chain, its last two not followed."""
    user, shop = f"{chain}_ann", f"{chain}_shop"
    books.fund(user, 100_000)
    sign(books, chain)
    for number in range(_PAYMENTS[chain]):
        books.clock.ms += 100
        batch = [
            Post(balance_paid(event(f"{chain}_pay_{number}_{leg}"), user_id=user, merchant_id=shop,
                              amount_minor=1_000 + number, fee_minor=6))
            for leg in range(1 + number % 2)
        ]  # fmt: skip
        for outcome in books.writer.apply(batch):
            assert outcome.value()
    holds = [
        balance_held(event(f"{chain}_hld_{number}"), user_id=user, merchant_id=shop,
                     amount_minor=500, expires_at_ms=START_MS + 3_000)[0]
        for number in range(4)
    ]  # fmt: skip
    for held in holds:
        books.post([held])
    books.clock.ms += 100
    books.post(hold_posted(event(f"{chain}_cap"), holds[0], amount_minor=400))
    books.post(hold_voided(event(f"{chain}_void"), holds[1]))
    sign(books, chain)
    pending = f"C:MPEND:{shop}:CNY"
    books.post(
        balance_refunded(event(f"{chain}_rfd"), user_id=user, sources=[(pending, 1_000)],
                         fee_back_minor=6, refers_to=f"{chain}_pay_0_0:1")
    )  # fmt: skip
    books.clock.ms += 5_000
    books.post(hold_expired(event(f"{chain}_exp"), holds[2]))
    books.follow()
    books.post(merchant_settled(event(f"{chain}_stl"), merchant_id=shop,
                                amount_minor=books.balance(pending)))  # fmt: skip
    books.post(balance_paid(event(f"{chain}_last"), user_id=user, merchant_id=shop,
                            amount_minor=5, fee_minor=0))  # fmt: skip
