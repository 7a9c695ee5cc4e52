"""Proofs and checkpoints: each transfer's, checked with a public key alone, and nothing else's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from backend.db.reading import Reader
from backend.ledger.checkpoints import Checkpoint, CheckpointMaker, open_checkpoint
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.proofs import check, prove, prove_consistency
from backend.ledger.repository import LedgerRepository
from backend.ledger.rules import Event, balance_paid
from backend.ledger.schemas import read_proof
from backend.ledger.verify import verify
from protocol.crypto import SUITES, generate
from protocol.errors import CallerError
from protocol.signed_note import sign_note
from tests.support.books import DATE, Books, open_books
from tests.support.evidence import CHAINS, MAKER, fill, populated, sign

SIZES = {"east": (1, 16), "west": (1, 9)}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Two chains with checkpoints; the last groups are in none of them."""
    opened = Reader.open(populated(tmp_path_factory.mktemp("proofs") / "backend.db"))
    yield opened
    opened.close()


def ask(reader: Reader, question: Any) -> Any:
    with reader.snapshot() as connection:
        return question(LedgerRepository(connection), DerivedRepository(connection))


def inclusion(reader: Reader, transfer_id: str) -> bytes:
    proof = ask(reader, lambda ledger, derived: prove(ledger, derived, transfer_id))
    return bytes(proof.model_dump_json(), "utf-8")


def consistency(reader: Reader, chain: str, old: int, new: int) -> bytes:
    def question(_ledger: Any, derived: Any) -> Any:
        return prove_consistency(
            derived, derived.checkpoint(chain, old), derived.checkpoint(chain, new)
        )

    return bytes(ask(reader, question).model_dump_json(), "utf-8")


def test_every_transfer_that_a_checkpoint_covers_is_proved(reader: Reader) -> None:
    transfers = reader.rows(text("SELECT id, chain, group_seq FROM ledger_transfer ORDER BY id"))
    outside = 0
    for row in transfers:
        chain = row["chain"]
        if row["group_seq"] > SIZES[chain][-1]:
            outside += 1
            with pytest.raises(CallerError, match="checkpoint_unknown"):
                inclusion(reader, row["id"])
            continue
        proof = read_proof(inclusion(reader, row["id"]))
        found = check(proof, MAKER.note_key(chain))
        assert found.size == SIZES[chain][-1]
        assert row["id"] in {one.id for one in proof.transfers}  # type: ignore[union-attr]
        with pytest.raises(CallerError, match="signature_invalid"):
            check(proof, MAKER.note_key("north"))
        with pytest.raises(CallerError, match="signature_invalid"):
            check(proof, CheckpointMaker("backend", generate()).note_key(chain))
    assert 0 < outside < len(transfers) // 2
    with pytest.raises(CallerError, match="transfer_unknown"):
        inclusion(reader, "pay_none:1")


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every scalar of a JSON document and how to get there."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from leaves_of(inner, (*path, key))
    else:
        yield path, value


def with_change(document: Any, path: tuple[Any, ...], value: Any) -> bytes:
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(copy).encode()


def others(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ("None", 1, "x:1")
    if isinstance(value, int):
        return (value + 1, value - 1, f"{value}", None, value + 0.0, 2**70)
    flipped = chr(ord(value[0]) ^ 1) + value[1:] if value else "x"
    return (flipped, f"{value} ", value[:-1], value.swapcase(), None, "")


@pytest.mark.parametrize("transfer_id", ["east_pay_3_1:2", "west_hld_1:1", "east_cap:1"])
def test_no_field_of_an_inclusion_proof_can_be_another(reader: Reader, transfer_id: str) -> None:
    chain, data = transfer_id[:4], inclusion(reader, transfer_id)
    check(read_proof(data), MAKER.note_key(chain))
    assert_each_change_is_refused(json.loads(data), chain)


def test_no_field_of_a_consistency_proof_can_be_another(reader: Reader) -> None:
    data = consistency(reader, "east", 1, 16)
    assert check(read_proof(data), MAKER.note_key("east")).size == 16
    assert_each_change_is_refused(json.loads(data), "east")


def assert_each_change_is_refused(document: Any, chain: str) -> None:
    for path, value in leaves_of(document):
        # Another transfer of the same leaf is proved by the same proof.
        same_leaf = {one["id"] for one in document.get("transfers", ())}
        for other in others(value):
            if other == value and type(other) is type(value):
                continue
            if path == ("transfer_id",) and other in same_leaf:
                continue
            with pytest.raises(CallerError, match=r"proof_invalid|signature_invalid"):
                check(read_proof(with_change(document, path, other)), MAKER.note_key(chain))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff", b"{" * 10_000,
                                  b'{"format": "tillway-ledger-inclusion-1"}'])  # fmt: skip
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(CallerError, match="proof_invalid"):
        read_proof(data)


@pytest.mark.parametrize("suite", SUITES)
def test_any_suite_signs_checkpoints(suite: str) -> None:
    maker = CheckpointMaker("backend", generate(suite))
    key = maker.note_key("main")
    wanted = Checkpoint(key.name, 7, bytes(32), 5, 3)
    note = sign_note(wanted.to_text(), key.name, maker.key)
    assert open_checkpoint(note, key) == wanted
    assert note.startswith("backend/ledger/main\n7\nAAAA")


def pay(name: str) -> list[Any]:
    return balance_paid(Event(name, "CNY", DATE), user_id="ann", merchant_id="shop",
                        amount_minor=100, fee_minor=1)  # fmt: skip


def rewrite(books: Books, statement: str) -> None:
    """What an intruder with the database's own rights could do."""
    sqlite = books.engine.dialect.name == "sqlite"
    with books.engine.begin() as connection:
        for verb in ("update", "delete") if sqlite else ("",):
            name = f"ledger_group_no_{verb}" if sqlite else "ledger_group_append_only"
            connection.execute(text(f"DROP TRIGGER {name}{'' if sqlite else ' ON ledger_group'}"))
        connection.execute(text(statement))


def make(books: Books) -> Any:
    reader = Reader.open(books.url)
    try:
        return MAKER.make(reader, "main", books.clock.ms)
    finally:
        reader.close()


def test_a_log_that_was_rewritten_is_not_signed_and_nothing_is_proved_from_it(
    books: Books,
) -> None:
    books.fund("ann", 10_000)
    for number in range(5):
        books.post(pay(f"pay_{number}"))
    sign(books, "main")
    assert make(books) is None
    books.post(pay("pay_5"))
    books.follow()
    rewrite(books, "UPDATE ledger_group SET hash = previous_hash WHERE seq = 3")
    with pytest.raises(CallerError, match="log_inconsistent"):
        make(books)
    with pytest.raises(CallerError, match="log_inconsistent"):
        books.derived(lambda ledger, derived: prove(ledger, derived, "pay_0:1"))
    assert not books.report().is_whole


def test_what_is_derived_and_signed_is_whole_on_both_databases(migrated_url: str) -> None:
    for chain in CHAINS:
        with open_books(migrated_url, chain) as books:
            fill(books, chain)
            report = books.report()
    assert report.breaks == []
    assert (report.checkpoints, report.holds) == (4, 8)


def test_a_key_that_is_not_trusted_is_seen(reader: Reader) -> None:
    with reader.snapshot() as connection:
        ledger = LedgerRepository(connection)
        assert verify(ledger, trusted=[MAKER.key.public]).is_whole
        report = verify(ledger, trusted=[generate("Ed25519").public])
    assert {one.why for one in report.breaks} == {"is signed by a key that is not ours"}
