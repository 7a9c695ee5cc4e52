"""``tillway firmware bring``: what is too long is said to be that, before it is sent."""

from pathlib import Path

from typer.testing import CliRunner

from protocol.errors import CallerError
from protocol.limits import FIRMWARE_BYTES_MAX
from tillway.fleet import firmware


def test_a_file_that_is_too_long_is_named(tmp_path: Path) -> None:
    file = tmp_path / "big.swu"
    with file.open("wb") as sparse:
        sparse.truncate(FIRMWARE_BYTES_MAX + 1)
    place = {"--url": "https://127.0.0.1:1", "--ca": "ca.pem", "--token-file": "token"}
    words = [word for pair in place.items() for word in pair]
    found = CliRunner().invoke(firmware.app, ["bring", str(file), "--by", "ann", *words])
    assert isinstance(found.exception, CallerError)
    assert found.exception.code == "firmware_file_invalid"
    assert "big.swu: more than" in found.exception.detail
