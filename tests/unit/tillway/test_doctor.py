"""What the doctor says of a program's private directory."""

import re
from pathlib import Path

from typer.testing import CliRunner

from tillway import doctor
from tillway.private_files import write_files


def said_of(state: Path) -> tuple[bool, str]:
    (finding,) = doctor.examine_state(state)
    return finding.is_good, finding.found


def test_a_passphrase_beside_the_keys_it_opens_is_warned_of(tmp_path: Path) -> None:
    write_files(tmp_path, {"ca/ca.key": b"sealed", "identity/tls.key": b"x", "passphrase": b"p"})
    assert said_of(tmp_path) == (False, "lies beside ca/ca.key, identity/tls.key")
    (tmp_path / "passphrase").unlink()
    is_good, _ = said_of(tmp_path)
    assert is_good


def test_the_warning_stands_in_the_table_and_does_not_change_the_exit_code(tmp_path: Path) -> None:
    write_files(tmp_path, {"code.key": b"sealed", "passphrase": b"p"})
    plain = CliRunner().invoke(doctor.app, [])
    told = CliRunner().invoke(doctor.app, ["--state", str(tmp_path)])
    assert "Passphrase" not in plain.output
    assert re.search("Passphrase.*lies", told.output)
    assert told.exit_code == plain.exit_code


def test_the_servers_that_a_shop_may_grow_to_are_looked_for() -> None:
    found = {finding.what: finding for finding in doctor.examine()}
    for server in ("PostgreSQL", "Mosquitto", "RabbitMQ", "Redis"):
        assert "apt-get install" in found[server].advice
        assert not found[server].is_needed


def test_a_directory_without_keys_is_said_to_be_none(tmp_path: Path) -> None:
    assert CliRunner().invoke(doctor.app, ["--state", str(tmp_path)]).exit_code == 1
