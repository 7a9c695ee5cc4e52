"""The scan table of a terminal's file, and what the command line says of a text."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from protocol import emvco
from protocol.errors import CallerError
from terminal.cli import app
from terminal.config import load

MERCHANT = '[merchant]\nid = "m"\nzh = "店"\nen = "Shop"\n'


def written(directory: Path, scan: str) -> Path:
    """A terminal's file."""
    file = directory / "terminal.toml"
    file.write_text(MERCHANT + scan)
    return file


def said(*words: str) -> tuple[int, dict[str, object]]:
    """The exit and the line of ``read-code``."""
    ran = CliRunner().invoke(app, ["read-code", *words])
    return ran.exit_code, json.loads(ran.stdout)


def test_a_file_says_which_wallets_are_taken(tmp_path: Path) -> None:
    file = written(tmp_path, '[scan]\nwallets = ["alipay"]\n')
    assert said("284567890123456789", "--config", str(file)) == (
        0,
        {"wallet": "alipay", "use": "pay_code"},
    )
    exit_code, line = said("134567890123456789", "--config", str(file))
    assert exit_code == 1
    assert line["error"]["code"] == "wallet_not_taken"  # type: ignore[index]


def test_a_file_brings_its_own_forms(tmp_path: Path) -> None:
    form = "[scan]\nwallets = ['corner']\n[[scan.forms]]\nwallet = 'corner'\nform = 'CC\\d{6}'\n"
    table = load(written(tmp_path, form)).scan.table()
    assert table.find("CC123456").error_code is None
    assert table.find("134567890123456789").error_code == "pay_code_invalid"


@pytest.mark.parametrize("row", ["form = '('", "form = 'x'\nuse = 'guess'", "form = ''"])
def test_a_wrong_form_is_said_at_the_start(tmp_path: Path, row: str) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        load(written(tmp_path, f"[[scan.forms]]\nwallet = 'corner'\n{row}\n")).scan.table()


def test_a_merchants_code_is_made_and_read_and_is_not_paid() -> None:
    words = ["--name", "晨光便利店", "--city", "上海", "--scheme", "cn.tillway", "--account", "m-1"]
    made = CliRunner().invoke(app, ["merchant-code", *words, "--amount", "12.80"])
    code = emvco.parse(made.stdout.strip())
    assert (code.name, code.amount, code.is_dynamic) == ("晨光便利店", "12.80", True)
    exit_code, line = said(made.stdout)
    assert exit_code == 1
    assert line["error"]["code"] == "merchant_code_scanned"  # type: ignore[index]
    assert line["merchant"]["city"] == "上海"  # type: ignore[index]
