"""What a card before a reader says: an NDEF text, or which payment card it is.

Rule 1: the card is reached by ``say`` alone, one command in, its answer out.
Rule 2: the line to the reader cannot guard a command's zeros, so a card's *no* counts when it has
been said twice.
Rule 3: a payment card's whole number lives in one local name and never leaves it but masked.
"""

from collections.abc import Callable

from protocol.framing import apdu, ber_tlv, ndef
from protocol.framing.payment_card import mask_pan, pan_in
from terminal.adapters.limits import (
    CARD_APPLICATIONS_MAX,
    CARD_RECORDS_MAX,
    TAG_BYTES_MAX,
)
from terminal.ports import CardFacts

Say = Callable[[bytes], bytes]
PPSE = b"2PAY.SYS.DDF01"
_READ_PAGES = 0x30
_CC_PAGE, _PAGE_BYTES, _PAGES_A_READ, _CC_MAGIC = 3, 4, 4, 0xE1
_CHUNK_BYTES = 0x3B
_FCI_TEMPLATE, _ENTRY, _AID, _LABEL, _PRIORITY, _WANTED, _FILES = (
    0x6F, 0x61, 0x4F, 0x50, 0x87, 0x9F38, 0x94,
)  # fmt: skip
_FORMAT_1 = 0x80
# what a reader says of itself: it takes contactless cards, asks for no money, and is in China
_READER_DATA = {0x9F66: b"\x26\x00\x00\x00", 0x9F1A: b"\x01\x56", 0x5F2A: b"\x01\x56"}
_DATE, _UNPREDICTABLE = 0x9A, 0x9F37


def tag_text(say: Say) -> str | None:
    """The text in a Type 2 tag; ``None`` if it holds none. ``ValueError`` for a damaged message."""
    first = say(bytes([_READ_PAGES, _CC_PAGE]))
    if len(first) != _PAGE_BYTES * _PAGES_A_READ or first[0] != _CC_MAGIC:
        return None
    room, memory = min(first[2] * 8, TAG_BYTES_MAX), first[_PAGE_BYTES:]
    while (needed := ndef.tag_bytes_needed(memory)) is not None and len(memory) < needed <= room:
        page = _CC_PAGE + 1 + len(memory) // _PAGE_BYTES
        memory += say(bytes([_READ_PAGES, page]))
    message = ndef.from_tag(memory)
    return None if message is None else ndef.first_text(message)


def phone_text(say: Say) -> str | None:
    """The text that a telephone or chip card gives as a Type 4 tag; otherwise as ``tag_text``."""
    if not _is_ok(_twice(say, apdu.select(ndef.TYPE_4_APPLICATION))):
        return None
    capabilities = _file(say, ndef.TYPE_4_CAPABILITIES, 0, 15)
    if len(capabilities) < 15 or capabilities[7:9] != b"\x04\x06":
        return None
    name = capabilities[9:11]
    size = int.from_bytes(_file(say, name, 0, 2), "big")
    if not 0 < size <= TAG_BYTES_MAX:
        return None
    return ndef.first_text(_file(say, name, 2, size))


def _file(say: Say, name: bytes, offset: int, size: int) -> bytes:
    """Part of a file; ``ValueError`` where the card gives less."""
    select = apdu.encode(apdu.Apdu(0x00, apdu.SELECT, 0x00, 0x0C, name))
    found = b"" if _is_ok(_twice(say, select)) else None
    while found is not None and len(found) < size:
        count = min(size - len(found), _CHUNK_BYTES)
        part = _twice(say, apdu.read_binary(offset + len(found), count), count + 2)
        found = found + part[:-2] if _is_ok(part) and len(part) == count + 2 else None
    if found is None:
        raise ValueError("a file shorter than it says")
    return found


def _twice(say: Say, command: bytes, size: int | None = None) -> bytes:
    """Ask, and ask again if the answer is a refusal or not of the size that it must have."""
    answer = say(command)
    is_good = _is_ok(answer) and size in (None, len(answer))
    return answer if is_good else say(command)


def payment_card(say: Say, *, date: bytes, unpredictable: bytes) -> CardFacts | None:
    """The payment application that the card prefers; ``None`` if it has none that opens.

    ``date`` is three bytes of packed digits, ``unpredictable`` four random bytes. ``ValueError``
    for objects that cannot be.
    """
    directory = _twice(say, apdu.select(PPSE))
    if not _is_ok(directory):
        return None
    given = _READER_DATA | {_DATE: date, _UNPREDICTABLE: unpredictable}
    for aid, label in _applications(directory[:-2]):
        begun = _begun(say, aid, given) or _begun(say, aid, given)
        pan = _pan(say, begun) if begun is not None else None
        if pan is not None:
            return CardFacts(aid.hex().upper(), label, mask_pan(pan), pan[-4:])
    return None


def _begun(say: Say, aid: bytes, given: dict[int, bytes]) -> bytes | None:
    """What an application says to the beginning of a payment; ``None`` if it refuses."""
    fci = _twice(say, apdu.select(aid))
    if not _is_ok(fci):
        return None
    values = _values(ber_tlv.find(fci[:-2], _WANTED) or b"", given)
    answer = say(apdu.get_processing_options(values))
    return answer[:-2] if _is_ok(answer) else None


def _applications(directory: bytes) -> list[tuple[bytes, str]]:
    """Names and labels in the card's order: the lowest priority number first, none last."""
    found = []
    for tag, entry in ber_tlv.walk(directory):
        if tag != _ENTRY:
            continue
        objects = dict(ber_tlv.objects(entry))
        rank = (objects.get(_PRIORITY) or b"\x0f")[0] & 0x0F or 0x0F
        label = objects.get(_LABEL, b"").decode("ascii", "replace")
        if aid := objects.get(_AID):
            found.append((rank, aid, label))
    found.sort(key=lambda entry: entry[0])
    return [(aid, label) for _, aid, label in found[:CARD_APPLICATIONS_MAX]]


def _values(wanted: bytes, given: dict[int, bytes]) -> bytes:
    """What the card asked for, in its order; zeros for what a reader here has not."""
    values, at = b"", 0
    while at < len(wanted):
        width = 2 if wanted[at] & 0x1F == 0x1F else 1
        if at + width >= len(wanted):
            raise ValueError("a list that ends within a name")
        tag, size = int.from_bytes(wanted[at : at + width], "big"), wanted[at + width]
        values += given.get(tag, b"")[:size].ljust(size, b"\x00")
        at += width + 1
    if len(values) > 252:
        raise ValueError("a list that asks for too much")
    return values


def _pan(say: Say, begun: bytes) -> str | None:
    """The number from the first answer or from the records that it names."""
    if (pan := pan_in(begun)) is not None:
        return pan
    plain = ber_tlv.find(begun, _FORMAT_1)
    files = plain[2:] if plain is not None else ber_tlv.find(begun, _FILES) or b""
    places = [
        (record, files[at] >> 3)
        for at in range(0, len(files) - 3, 4)
        for record in range(files[at + 1], files[at + 2] + 1)
    ]
    for record, sfi in places[:CARD_RECORDS_MAX]:
        answer = _twice(say, apdu.read_record(record, sfi))
        if _is_ok(answer) and (pan := pan_in(answer[:-2])) is not None:
            return pan
    return None


def _is_ok(answer: bytes) -> bool:
    return answer[-2:] == apdu.OK
