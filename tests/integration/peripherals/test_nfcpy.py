"""Goal: nfcpy, which nobody here wrote, works unmodified with the simulated reader on a pty."""

from collections.abc import Iterator

import ndef
import nfc.clf
import nfc.clf.pn532
import nfc.clf.transport
import nfc.tag
import pytest

from firmware_sim.board_file import board_with
from firmware_sim.hosting import HostedBoard

TEXT = "134567890123456789"
PPSE = b"2PAY.SYS.DDF01"
TYPE_A = nfc.clf.RemoteTarget("106A")


@pytest.fixture
def hosted() -> Iterator[HostedBoard]:
    """A reader on a pty."""
    with HostedBoard(board_with("pn532", device="reader"), pace=False) as board:
        yield board


@pytest.fixture
def frontend(
    hosted: HostedBoard, monkeypatch: pytest.MonkeyPatch
) -> Iterator[nfc.clf.ContactlessFrontend]:
    """The third party's reader at 115200. Without stty in its path it tries no other rate: to try
    one it closes its port, which may flush its own last word away before that has left.
    """
    monkeypatch.setenv("PATH", "")
    found = nfc.clf.ContactlessFrontend()
    found.device = nfc.clf.pn532.init(nfc.clf.transport.TTY(hosted.paths["reader"]))
    yield found
    found.close()


def _tag(frontend: nfc.clf.ContactlessFrontend) -> nfc.tag.Tag:
    return nfc.tag.activate(frontend, frontend.sense(TYPE_A))


def test_nfcpy_raises_the_rate_and_leaves_the_chip_asleep(
    hosted: HostedBoard, frontend: nfc.clf.ContactlessFrontend
) -> None:
    chipset = frontend.device.chipset
    chipset.set_serial_baudrate(921_600)
    chipset.transport.baudrate = 921_600
    assert frontend.sense(TYPE_A) is None
    assert hosted.state("reader")["baud"] == 921_600
    frontend.close()
    assert hosted.state("reader")["baud"] == 115_200
    assert not hosted.state("reader")["is_awake"]


def test_nfcpy_finds_nothing_where_nothing_is(frontend: nfc.clf.ContactlessFrontend) -> None:
    others = [nfc.clf.RemoteTarget(name) for name in ("106B", "212F", "424F")]
    assert frontend.sense(TYPE_A, *others) is None


def test_nfcpy_reads_and_writes_a_tag(
    hosted: HostedBoard, frontend: nfc.clf.ContactlessFrontend
) -> None:
    hosted.do("reader", "present", card="tag")
    tag = _tag(frontend)
    assert tag.product == "NXP NTAG213"
    assert [record.text for record in tag.ndef.records] == [TEXT]
    tag.ndef.records = [ndef.TextRecord("written by a stranger")]
    assert hosted.state("reader")["texts"] == {"tag": "written by a stranger"}
    assert tag.is_present
    hosted.do("reader", "remove")
    assert not tag.is_present


def test_nfcpy_sends_commands_to_a_bank_card(
    hosted: HostedBoard, frontend: nfc.clf.ContactlessFrontend
) -> None:
    hosted.do("reader", "present", card="unionpay")
    tag = _tag(frontend)
    assert tag.type == "Type4Tag"
    assert tag.ndef is None
    assert PPSE in tag.send_apdu(0x00, 0xA4, 0x04, 0x00, PPSE, mrl=256)


def test_nfcpy_reads_the_text_of_a_telephone(
    hosted: HostedBoard, frontend: nfc.clf.ContactlessFrontend
) -> None:
    hosted.do("reader", "present", text="a text that takes more than one block " * 10)
    assert _tag(frontend).ndef.records[0].text == "a text that takes more than one block " * 10


def test_nfcpy_gets_nothing_out_of_a_closed_card(
    hosted: HostedBoard, frontend: nfc.clf.ContactlessFrontend
) -> None:
    hosted.do("reader", "present", card="classic")
    assert _tag(frontend).ndef is None
