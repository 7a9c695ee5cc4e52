"""Nobody changes what was posted: the database refuses it, and verify finds it."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from backend.ledger.model import Transfer
from backend.ledger.rules import Event, balance_held, balance_paid, hold_posted
from tests.support.books import DATE, START_MS, Books

GUARDED = ("ledger_transfer", "ledger_group")


def fill(books: Books) -> None:
    """Five groups: money in, three payments, a hold posted in part."""
    books.fund("ann", 100_000)
    for number in range(3):
        books.post(
            balance_paid(Event(f"pay_{number}", "CNY", DATE), user_id="ann", merchant_id="shop",
                         amount_minor=1_000 + number, fee_minor=6)
        )  # fmt: skip
    (held,) = balance_held(
        Event("hld_1", "CNY", DATE), user_id="ann", merchant_id="shop", amount_minor=500,
        expires_at_ms=START_MS + 9,
    )  # fmt: skip
    books.post([held])
    books.post(hold_posted(Event("cap_1", "CNY", DATE), held, amount_minor=400))


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def lower_the_guards(engine: Engine) -> None:
    """What an intruder with the database's own rights could do."""
    if engine.dialect.name == "sqlite":
        run(engine, *(f"DROP TRIGGER {table}_no_{verb}" for table in GUARDED
                      for verb in ("update", "delete")))  # fmt: skip
    else:
        run(engine, *(f"DROP TRIGGER {table}_append_only ON {table}" for table in GUARDED))


@pytest.mark.parametrize("table", GUARDED)
@pytest.mark.parametrize("verb", ["UPDATE {} SET at_ms = 1", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_was_posted(
    books: Books, table: str, verb: str
) -> None:
    fill(books)
    with pytest.raises(DBAPIError, match="append-only"):
        run(books.engine, verb.format(table))
    assert books.report().is_whole


REPLACED = {
    "ledger_transfer": """SELECT id, link, debit, 'C:MPEND:thief:CNY', amount_minor, currency, rule,
        kind, refers_to, expires_at_ms, business_date, at_ms, chain, group_seq
        FROM ledger_transfer WHERE id = 'pay_1:1'""",
    "ledger_group": """SELECT chain, seq, previous_hash, root, hash, count, 1, transfer_ids, leaves
        FROM ledger_group WHERE seq = 2""",
}


@pytest.mark.parametrize("table", GUARDED)
def test_the_database_refuses_to_replace_what_was_posted(books: Books, table: str) -> None:
    fill(books)
    if books.engine.dialect.name == "sqlite":
        statements = [f"{verb} INTO {table} {REPLACED[table]}"
                      for verb in ("REPLACE", "INSERT OR REPLACE")]  # fmt: skip
        statements.append(f"UPDATE OR REPLACE {table} SET at_ms = 1")
    else:
        key = "(id)" if table == "ledger_transfer" else "(chain, seq)"
        change = f"ON CONFLICT {key} DO UPDATE SET at_ms = EXCLUDED.at_ms"
        statements = [f"INSERT INTO {table} {REPLACED[table]} {change}", f"TRUNCATE {table}"]
    for statement in statements:
        with pytest.raises(DBAPIError, match="append-only"):
            run(books.engine, statement)
    assert books.report().is_whole


def test_the_database_itself_keeps_floors(books: Books) -> None:
    fill(books)
    with pytest.raises(DBAPIError, match="floor"):
        run(books.engine, "UPDATE ledger_account SET debits_posted = 999999 WHERE code = 'CUST'")


_SMUGGLE = """
    INSERT INTO ledger_transfer SELECT 'pay_9:1', link, debit, credit, amount_minor, currency, rule,
    kind, refers_to, expires_at_ms, business_date, at_ms, chain, group_seq
    FROM ledger_transfer WHERE id = 'pay_1:1'
"""
TAMPERINGS = [
    ("UPDATE ledger_transfer SET amount_minor = amount_minor + 1 WHERE id = 'pay_1:1'", "pay_1:1"),
    ("UPDATE ledger_transfer SET credit = 'C:MPEND:thief:CNY' WHERE id = 'pay_2:1'", "pay_2:1"),
    ("UPDATE ledger_transfer SET business_date = '2026-10-01' WHERE id = 'pay_0:3'", "pay_0:1"),
    ("UPDATE ledger_transfer SET refers_to = 'None' WHERE id = 'pay_0:1'", "pay_0:1"),
    ("UPDATE ledger_transfer SET group_seq = 4 WHERE id = 'pay_0:1'", "pay_0:1"),
    ("DELETE FROM ledger_transfer WHERE id = 'pay_1:2'", "pay_1:2"),
    (_SMUGGLE, "pay_9:1"),
    ("UPDATE ledger_account SET credits_posted = credits_posted + 5 WHERE code = 'MPEND'",
     "C:MPEND:shop:CNY"),
    ("UPDATE ledger_account SET floor_minor = NULL WHERE code = 'CUST'", "C:CUST:ann:CNY"),
    ("UPDATE ledger_hold SET state = 'voided'", "hld_1:1"),
    ("UPDATE ledger_group SET at_ms = at_ms + 1 WHERE seq = 3", "main/3"),
    ("UPDATE ledger_group SET root = previous_hash WHERE seq = 2", "main/2"),
    ("DELETE FROM ledger_group WHERE seq = 2", "main/3"),
    ("DELETE FROM ledger_group WHERE seq = 6", "main"),
    ("UPDATE ledger_chain SET seq = 5", "main"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "where"), TAMPERINGS)
def test_verify_names_what_was_tampered_with(books: Books, statement: str, where: str) -> None:
    fill(books)
    assert books.report().is_whole
    lower_the_guards(books.engine)
    run(books.engine, statement)
    report = books.report()
    assert where in [found.where for found in report.breaks], report.breaks


@pytest.mark.parametrize(
    ("debit", "credit", "why"),
    [
        ("C:OWN_DUE:CNY", "C:MPEND:shop:CNY", "OWN_DUE 5, OWN_PAYABLE 0"),
        ("O:PROMO:CNY", "O:OWN_PAYABLE:CNY", "OWN_DUE 0, OWN_PAYABLE 5"),
        ("O:OWN_PAYABLE:CNY", "O:PROMO:CNY", "OWN_DUE 0, OWN_PAYABLE -5"),
        ("C:MPEND:shop:CNY", "C:UNSWEPT:CNY", "UNSWEPT 23, DUE_CLIENT 18"),
    ],
)
def test_verify_says_when_the_two_books_differ_about_each_other(
    books: Books, debit: str, credit: str, why: str
) -> None:
    fill(books)
    assert books.balance("C:UNSWEPT:CNY") == 18
    half = Transfer("evt_1:1", 1, debit, credit, 5, "CNY", "half", "posted", None, None, DATE)
    books.post([half])
    assert [(found.where, found.why) for found in books.report().breaks] == [("CNY", why)]


def test_entries_are_a_view_that_balances(books: Books) -> None:
    fill(books)
    with books.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT event_id, sum(debit_minor), sum(credit_minor) FROM ledger_entry"
                 " GROUP BY event_id ORDER BY event_id")
        ).all()  # fmt: skip
    assert [tuple(row) for row in rows] == [
        ("cap_1", 400, 400), ("fund_ann_CNY", 100_000, 100_000), ("pay_0", 1_012, 1_012),
        ("pay_1", 1_013, 1_013), ("pay_2", 1_014, 1_014),
    ]  # fmt: skip
