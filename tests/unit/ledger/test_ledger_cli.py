"""``tillway ledger``: what it prints, and exit code 1 when the ledger is broken."""

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from backend.ledger.cli import app
from backend.ledger.rules import Event, balance_paid
from protocol.errors import CallerError
from tests.support.books import DATE, Books


def test_the_commands_show_and_prove_the_ledger(books: Books) -> None:
    books.fund("ann", 10_000)
    books.post(
        balance_paid(Event("pay_1", "CNY", DATE), user_id="ann", merchant_id="shop",
                     amount_minor=1_000, fee_minor=6)
    )  # fmt: skip
    run = CliRunner(env={"COLUMNS": "20"})
    where = ["--database", books.url]
    shown = run.invoke(app, ["verify", *where])
    assert shown.exit_code == 0, shown.output
    assert "4 transfers in 2 groups" in shown.output
    assert "the ledger is whole" in shown.output
    pending = run.invoke(app, ["accounts", "--prefix", "C:MPEND", *where]).output
    assert "C:MPEND:shop:CNY" in pending
    assert "994" in pending
    assert "pay_1:3" in run.invoke(app, ["transfers", "--event", "pay_1", *where]).output
    listed = run.invoke(app, ["transfers", "--account", "C:CUST:ann:CNY", *where]).output
    assert "pay_1:1" in listed
    assert "pay_1:2" not in listed
    with books.engine.begin() as connection:
        connection.execute(text("UPDATE ledger_account SET opened_at_ms = 1"))
        connection.execute(
            text("UPDATE ledger_account SET credits_posted = 1 WHERE code = 'UNSWEPT'")
        )
    shown = run.invoke(app, ["verify", *where])
    assert shown.exit_code == 1
    assert "BREAK account C:UNSWEPT:CNY" in shown.output


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("command", ["verify", "accounts", "transfers"])
def test_a_mistyped_database_is_named_and_not_made(database_url: str, command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--database", database_url])
    assert isinstance(shown.exception, CallerError)
    assert shown.exception.code == "config_invalid"
