"""Goal: a machine's key can be made in a secure element, never leaves it, and signs what it sends.

Method: ``tillway enroll`` against the enrolment service, with a simulated element on a pty.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.board_file import board_with
from firmware_sim.hosting import HostedBoard
from protocol.crypto.keys import generate
from protocol.errors import CallerError, OperatingError
from protocol.identity import SIGNING_KEY, ElementKey, Identity
from tests.kit.enrolment_desk import PASSPHRASE, Desk
from tillway import enroll
from tillway import join as joining
from tillway.element_keys import ElementKeys
from tillway.private_files import write_files

PIN = b"246810"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "desk")
    yield made
    made.close()


@pytest.fixture
def hosted() -> Iterator[HostedBoard]:
    """A new element: nobody has given it a PIN yet."""
    with HostedBoard(board_with("secure_element", device="element"), pace=False) as board:
        yield board


def _home(hosted: HostedBoard, pin: bytes = PIN) -> ElementKeys:
    return ElementKeys(hosted.paths["element"], pin, PASSPHRASE)


def _enrol(desk: Desk, state: Path, **changes: Any) -> Identity:
    wishes = {"code": desk.code(), "url": desk.url, "suite": "ES256", **changes}
    return joining.join(state, passphrase=PASSPHRASE, **wishes)


def _rotate(state: Path, home: ElementKeys | None) -> Identity:
    return joining.rotate(
        state, suite="ES256", passphrase=PASSPHRASE, now_ms=enroll._now_ms, home=home
    )


def test_a_machine_joins_with_a_key_that_is_in_no_file(
    desk: Desk, hosted: HostedBoard, tmp_path: Path
) -> None:
    identity = _enrol(desk, tmp_path / "t", home=_home(hosted))
    assert isinstance(identity.key, ElementKey)
    assert hosted.state("element")["slots"] == [identity.key.slot]
    assert desk.registry.devices["t-1"].key == identity.public
    stored = (tmp_path / "t/identity" / SIGNING_KEY).read_bytes()
    assert ElementKey.from_bytes(stored) == identity.key
    with pytest.raises(CallerError, match="config_invalid"):
        _ = identity.signing_key


def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    desk: Desk, hosted: HostedBoard, tmp_path: Path
) -> None:
    code = desk.code()
    desk.drops_answers = 1
    with pytest.raises(OperatingError, match="server_unreachable"):
        _enrol(desk, tmp_path / "t", code=code, home=_home(hosted))
    identity = _enrol(desk, tmp_path / "t", code=code, home=_home(hosted))
    assert hosted.state("element")["slots"] == [0]
    assert desk.registry.devices["t-1"].key == identity.public


def test_renewals_take_another_slot_and_never_the_one_in_use(
    desk: Desk, hosted: HostedBoard, tmp_path: Path
) -> None:
    state = tmp_path / "t"
    keys = [_enrol(desk, state, home=_home(hosted)).public]
    for _ in range(5):
        keys.append(_rotate(state, _home(hosted)).public)
        assert desk.registry.devices["t-1"].key == keys[-1]
    assert len({key.kid for key in keys}) == 6


def test_a_machine_moves_its_key_into_an_element_by_renewing_it(
    desk: Desk, hosted: HostedBoard, tmp_path: Path
) -> None:
    _enrol(desk, tmp_path / "t")
    moved = _rotate(tmp_path / "t", _home(hosted))
    assert isinstance(moved.key, ElementKey)
    with pytest.raises(CallerError, match="config_invalid"):
        _rotate(tmp_path / "t", None)  # the key in use is in the element: its port is needed


def test_the_commands_take_the_element_and_its_pin_from_a_private_file(
    desk: Desk, hosted: HostedBoard, tmp_path: Path
) -> None:
    from typer.testing import CliRunner

    state, code = tmp_path / "t", tmp_path / "code"
    code.write_text(desk.code().text())
    write_files(state, {"element-pin": PIN + b"\n", "passphrase": PASSPHRASE})
    words = ["join", "--state", str(state), "--url", desk.url, "--code-file", str(code)]
    result = CliRunner().invoke(enroll.app, [*words, "--element", hosted.paths["element"]])
    assert result.exit_code == 0, result.output
    kid = desk.registry.devices["t-1"].key.kid.hex()
    assert kid in result.output
    assert desk.registry.devices["t-1"].key.suite.name == "ES256"


@pytest.mark.parametrize("pin", [b"123", b"x" * 17])
def test_a_pin_of_a_wrong_length_is_refused(pin: bytes) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        ElementKeys("/dev/null", pin, PASSPHRASE)
    assert pin.decode() not in repr(ElementKeys("/dev/null", PIN, PASSPHRASE))


def test_a_file_of_an_element_key_is_no_sealed_key_and_the_other_way_round() -> None:
    key = ElementKey(3, generate("ES256").public)
    assert ElementKey.from_bytes(key.to_bytes()) == key
    for other in (b"", b"\x80", b"\xa0", b"\xa3\x01\x02\x02\x00\x03\x00"):
        assert ElementKey.from_bytes(other) is None
