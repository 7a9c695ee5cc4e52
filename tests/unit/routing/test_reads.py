"""A payment from the balance reads nothing of routing; configuration is read from its file."""

from pathlib import Path
from typing import Any

import pytest

from backend.channels.model import CUP, NUCC
from backend.config import load
from backend.db.command import Read
from backend.instruments.tables import INSTRUMENT_CHANNEL
from backend.payments.funding import funding_reads
from backend.payments.model import PaymentRules
from backend.routing.model import Criterion, Routing
from backend.routing.tables import CHANNEL_HEALTH
from protocol.errors import CallerError
from tests.support.shop import MASTER_KEY


class Payers:
    """A working set that holds one payer."""

    def __init__(self, default: str | None) -> None:
        self._payer = {"default_instrument_id": default}

    def loaded(self, ref: Any, key: Any) -> Any:  # whoever is asked for
        return self._payer


def reads(default: str | None, wanted: str | None = None) -> list[Read]:
    facts = load(None).routing.facts()
    rules = PaymentRules(code_master_key=MASTER_KEY, routing=Routing(facts=facts))
    return funding_reads(Payers(default), "pyr_1", wanted, rules)  # type: ignore[arg-type]


def test_a_payment_from_the_balance_reads_no_channel() -> None:
    assert reads(None) == []
    assert reads("ins_1", "balance") == []


def test_a_payment_by_an_instrument_reads_each_channel_s_token_and_health() -> None:
    found = reads("ins_1")
    assert (INSTRUMENT_CHANNEL, ("ins_1", CUP)) in found
    assert (CHANNEL_HEALTH, NUCC) in found


def test_the_file_orders_channels_and_changes_facts(tmp_path: Path) -> None:
    file = tmp_path / "backend.toml"
    file.write_text(
        '[routing]\ncard = ["CUP", "NUCC"]\norder_by = ["cost", "preference"]\n'
        "[routing.channels.CUP]\namount_minor_max = 5\n[withdrawals]\nfree_minor = 7\n"
    )
    settings = load(file)
    routing = settings.routing.routing(frozenset({NUCC, CUP}))
    assert routing.channels_of("card") == (CUP, NUCC)
    assert routing.order_by == (Criterion.COST, Criterion.PREFERENCE)
    assert routing.facts[CUP].amount_minor_max == 5
    assert settings.withdrawals.rules().free_minor == 7


@pytest.mark.parametrize(
    "text", ['[routing]\norder_by = ["luck"]', "[routing.channels.CUP]\ncolour = 1",
             "[withdrawals]\nfee_bps = 101"]
)  # fmt: skip
def test_a_file_that_says_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "backend.toml"
    file.write_text(text)
    with pytest.raises(CallerError, match="config_invalid"):
        load(file)
