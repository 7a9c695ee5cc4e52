"""Goal: the scanners' frames byte for byte as their documents and known clients have them.

Method: GM65 manual V1.3, a GM861's answers, the GM60 library of its maker, Zebra 72E-40451, GM67.
"""

import pytest

from firmware_sim.devices.gm65 import PROFILES, READ_MS, Gm65, Sighting
from firmware_sim.devices.ssi import PROFILES as SSI_PROFILES
from firmware_sim.devices.ssi import SsiScanner

WRITE_OK = "02 00 00 01 00 33 31"
TALKS = [
    ("gm65", "7E 00 07 01 00 0A 01 EE 8A", "02 00 00 01 3E E4 AC"),
    ("gm65", "7E 00 08 01 00 0A 3E 4C CF", WRITE_OK),
    ("gm65", "7E 00 09 01 00 00 00 DE C8", WRITE_OK),
    ("gm65", "7E 00 09 01 00 00 FF C0 38", WRITE_OK),
    ("gm65", "7E 00 07 01 00 2A 02 D8 0F", "02 00 00 02 39 01 C1 4C"),
    ("gm65", "7E 00 08 02 00 2A 39 01 A7 EA", WRITE_OK),
    ("gm65", "7E 00 08 01 00 02 01 AB CD", WRITE_OK),
    ("gm65", "7E 00 0A 01 00 00 00 30 1A", ""),
    ("gm65", "7E 00 07 01 00 0A 01 EE 8B", ""),
    ("gm812", "7E 00 0A 01 00 00 00 30 1A", "03 00 00 01 00 33 31"),
    ("gm812", "7E 00 08 01 00 D9 50 81 D3", WRITE_OK),
    ("gm812", "7E 00 08 01 00 D9 55 D1 76", WRITE_OK),
    ("gm812", "7E 00 08 01 00 D9 56 E1 15", WRITE_OK),
    ("gm812", "7E 00 08 01 00 D9 A5 3E 69", WRITE_OK),
    ("gm812", "7E 00 08 01 00 D9 00 DB 26", WRITE_OK),
]


@pytest.mark.parametrize(("model", "said", "answer"), TALKS)
def test_a_scanner_answers_as_documented(model: str, said: str, answer: str) -> None:
    scanner = Gm65(lambda _: None, PROFILES[model])
    heard = b"".join(output.payload for output in scanner.feed(bytes.fromhex(said), 0))
    assert heard == bytes.fromhex(answer)


def test_a_gm861_reports_its_registers_as_a_new_one_does() -> None:
    scanner = Gm65(lambda _: None, PROFILES["gm812"])
    [reply] = scanner.feed(bytes.fromhex("7E 00 07 01 00 00 62 AB CD"), 0)
    assert reply.payload[-2:] == bytes.fromhex("30 FE")  # the checksum that was seen of all 98


def test_a_gm60_is_read_as_the_library_of_its_maker_reads_it() -> None:
    scanner = Gm65(lambda _: Sighting("QRCode", "https://t.cn/1"), PROFILES["gm60"])
    scanner.boot(0)
    for said in (
        "7E 00 08 01 00 D9 55 AB CD", "7E 00 08 01 00 60 80 AB CD", "7E 00 08 01 00 1A 40 AB CD",
        "7E 00 08 01 00 0D 3C AB CD", "7E 00 08 01 00 2C 02 AB CD",
    ):  # fmt: skip
        [answer] = scanner.feed(bytes.fromhex(said), 0)
        assert answer.payload == bytes.fromhex(WRITE_OK)
    scanner.poll(0)
    scanner.present(b"-", 0)
    [code] = scanner.poll(READ_MS)
    assert code.payload == b"\x04\x00\x0ehttps://t.cn/1"


SSI_TALKS = [
    ("zebra", "04 E9 04 00 FF 0F", "04 D0 00 00 FF 2C"),
    ("zebra", "05 E8 04 00 01 FF 0E", "04 D0 00 00 FF 2C"),
    ("zebra", "07 C6 04 00 FF 8A 08 FD 9E", "04 D0 00 00 FF 2C"),
    ("zebra", "04 E4 04 00 FF 14", "05 D1 00 00 06 FF 24"),  # its trigger is not the host's yet
    ("gm67", "07 C6 04 08 00 8A 08 FE 95", "04 D0 00 00 FF 2C"),
    ("gm67", "07 C6 04 08 00 EE 01 FE 38", "04 D0 00 00 FF 2C"),
    ("gm67", "06 E9 04 00 FF 0F FD FF", "04 D0 00 00 FF 2C"),  # two bytes too many do no harm
]


@pytest.mark.parametrize(("model", "said", "answer"), SSI_TALKS)
def test_an_engine_answers_as_documented(model: str, said: str, answer: str) -> None:
    engine = SsiScanner(lambda _: None, SSI_PROFILES[model])
    heard = b"".join(output.payload for output in engine.feed(bytes.fromhex(said), 0))
    assert heard == bytes.fromhex(answer)
