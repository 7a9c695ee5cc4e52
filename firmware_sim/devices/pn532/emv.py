"""A contactless payment card as far as a reader learns its number (EMV Book B 2.10, Book 3 4.3).

SELECT PPSE, SELECT AID, GET PROCESSING OPTIONS, READ RECORD, and GET DATA for the transaction
counter. There is no cryptogram: nothing such a card says could be taken for an authorization.
Numbers are those that schemes and processors publish for tests; a board file cannot name another,
so no person's card number gets in here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.framing import apdu
from protocol.framing.apdu import Apdu
from protocol.framing.ber_tlv import encode, objects

PPSE = b"2PAY.SYS.DDF01"
_READER_DATA = (
    (0x9F66, 4), (0x9F02, 6), (0x9F03, 6), (0x9F1A, 2), (0x95, 5), (0x5F2A, 2), (0x9A, 3),
    (0x9C, 1), (0x9F37, 4),
)  # fmt: skip
ISSUER_COUNTRY = b"\x01\x56"


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a scheme's application looks like. ``options`` are what it asks of the reader."""

    aid: bytes
    label: str
    pan: str
    options: tuple[tuple[int, int], ...] = _READER_DATA
    has_pan_record: bool = True
    """Some cards give the number in track 2 only."""


SCHEMES: dict[str, Scheme] = {
    "unionpay": Scheme(bytes.fromhex("A000000333010101"), "UNIONPAY DEBIT", "6200000000000005"),
    "visa": Scheme(bytes.fromhex("A0000000031010"), "VISA CREDIT", "4242424242424242"),
    "mastercard": Scheme(
        bytes.fromhex("A0000000041010"), "MASTERCARD", "5555555555554444", (), has_pan_record=False
    ),
}


@dataclass(slots=True)
class EmvSoftware:
    """A card with one application for each scheme, the first one preferred."""

    schemes: Sequence[Scheme]
    expiry: str = "3012"
    """Year and month."""
    is_blocked: bool = False
    """The issuer has closed the applications: they can be listed and not be selected."""
    _selected: Scheme | None = None
    _is_begun: bool = False
    _counter: int = 0

    def reset(self) -> None:
        """As ``Software.reset``; the transaction counter stays."""
        self._selected, self._is_begun = None, False

    def apdu(self, command: bytes) -> bytes:
        """As ``Software.apdu``."""
        parsed = apdu.decode(command)
        if parsed is None:
            return apdu.WRONG_LENGTH
        known = {
            apdu.SELECT: (0x00, self._select), apdu.READ_RECORD: (0x00, self._read_record),
            apdu.GET_PROCESSING_OPTIONS: (0x80, self._begin), apdu.GET_DATA: (0x80, self._get_data),
        }.get(parsed.ins)  # fmt: skip
        if known is None:
            return apdu.INSTRUCTION_UNKNOWN
        cla, run = known
        return run(parsed) if parsed.cla == cla else apdu.CLASS_UNKNOWN

    def _select(self, command: Apdu) -> bytes:
        if command.p1 != apdu.BY_NAME or command.p2 != 0:
            return apdu.WRONG_PARAMETERS
        self.reset()
        if command.data == PPSE:
            return self._directory() + apdu.OK
        for scheme in self.schemes:
            if command.data == scheme.aid:
                if self.is_blocked:
                    return apdu.FUNCTION_NOT_SUPPORTED
                self._selected = scheme
                return _application(scheme) + apdu.OK
        return apdu.FILE_NOT_FOUND

    def _directory(self) -> bytes:
        entries = b"".join(
            encode(0x61, encode(0x4F, scheme.aid) + _label(scheme) + encode(0x87, bytes([rank])))
            for rank, scheme in enumerate(self.schemes, start=1)
        )
        return encode(0x6F, encode(0x84, PPSE) + encode(0xA5, encode(0xBF0C, entries)))

    def _begin(self, command: Apdu) -> bytes:
        if self._selected is None or self._is_begun:
            return apdu.CONDITIONS_NOT_MET
        if command.p1 or command.p2:
            return apdu.WRONG_PARAMETERS
        try:
            given = objects(command.data)
        except ValueError:
            return apdu.WRONG_LENGTH
        wanted = sum(size for _, size in self._selected.options)
        if len(given) != 1 or given[0][0] != 0x83 or len(given[0][1]) != wanted:
            return apdu.CONDITIONS_NOT_MET
        self._is_begun = True
        self._counter = self._counter + 1 & 0xFFFF
        files = b"\x08\x01\x01\x00" + (
            b"\x10\x01\x01\x00" if self._selected.has_pan_record else b""
        )
        counter = encode(0x9F36, self._counter.to_bytes(2, "big"))
        return encode(0x77, encode(0x82, b"\x00\x00") + encode(0x94, files) + counter) + apdu.OK

    def _read_record(self, command: Apdu) -> bytes:
        scheme = self._selected
        if scheme is None or not self._is_begun:
            return apdu.CONDITIONS_NOT_MET
        if command.p2 & 0x07 != 0x04:
            return apdu.WRONG_PARAMETERS
        place = command.p2 >> 3, command.p1
        if place == (1, 1):
            return encode(0x70, encode(0x57, self._track_2(scheme))) + apdu.OK
        if place == (2, 1) and scheme.has_pan_record:
            return encode(0x70, self._number(scheme)) + apdu.OK
        return apdu.FILE_NOT_FOUND if place[0] not in (1, 2) else apdu.RECORD_NOT_FOUND

    def _track_2(self, scheme: Scheme) -> bytes:
        return _packed(f"{scheme.pan}D{self.expiry}201000000000")

    def _number(self, scheme: Scheme) -> bytes:
        expiry = bytes.fromhex(self.expiry + "31")
        return (
            encode(0x5A, _packed(scheme.pan)) + encode(0x5F24, expiry)
            + encode(0x5F28, ISSUER_COUNTRY) + encode(0x5F34, b"\x00")
        )  # fmt: skip

    def _get_data(self, command: Apdu) -> bytes:
        if (command.p1, command.p2) != (0x9F, 0x36):
            return apdu.DATA_NOT_FOUND
        return encode(0x9F36, self._counter.to_bytes(2, "big")) + apdu.OK


def _application(scheme: Scheme) -> bytes:
    wanted = b"".join(
        tag.to_bytes(2 if tag > 0xFF else 1, "big") + bytes([size]) for tag, size in scheme.options
    )
    asked = encode(0x9F38, wanted) if wanted else b""
    return encode(0x6F, encode(0x84, scheme.aid) + encode(0xA5, _label(scheme) + asked))


def _label(scheme: Scheme) -> bytes:
    return encode(0x50, scheme.label.encode("ascii"))


def _packed(digits: str) -> bytes:
    """Two digits a byte, filled up with F."""
    return bytes.fromhex(digits if len(digits) % 2 == 0 else digits + "F")
