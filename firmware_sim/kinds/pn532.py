"""The PN532 contactless reader on a board, and the cards in the hands of the people before it."""

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from firmware_sim.devices.pn532.card import Card
from firmware_sim.devices.pn532.chip import Pn532
from firmware_sim.devices.pn532.emv import SCHEMES, EmvSoftware
from firmware_sim.devices.pn532.iso_dep import IsoDepCard
from firmware_sim.devices.pn532.mifare_classic import BLOCKS, MifareClassic
from firmware_sim.devices.pn532.ntag213 import Ntag213
from firmware_sim.devices.pn532.phone import PhoneSoftware
from firmware_sim.frames import masked_numbers
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Hand, Kind, State
from firmware_sim.kinds.pn532_frames import Pn532Decoder
from firmware_sim.limits import (
    CARD_NAME_CHARS_MAX,
    CARDS_MAX,
    NDEF_BYTES_MAX,
    PHONE_MESSAGE_BYTES_MAX,
)
from protocol.errors import CallerError
from protocol.framing import ndef

Name = Annotated[str, Field(min_length=1, max_length=CARD_NAME_CHARS_MAX)]
Text = Annotated[str, Field(min_length=1, max_length=PHONE_MESSAGE_BYTES_MAX)]
LongUid = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{14}$")]
ShortUid = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{8}$")]
Block = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{32}$")]
TAP = "tap"
"""The card that ``present`` makes of a text."""


class _CardEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TagEntry(_CardEntry):
    """An NTAG213 tag; without a UID it gets one of its own."""

    type: Literal["ntag213"]
    uid: LongUid | None = None
    text: Text | None = None
    uri: Text | None = None

    @property
    def message(self) -> bytes:
        """What the tag says: the address, then the text; nothing if it has neither."""
        records = [ndef.uri_record(self.uri)] if self.uri else []
        records += [ndef.text_record(self.text)] if self.text else []
        return ndef.encode(records)

    @model_validator(mode="after")
    def _fits(self) -> "TagEntry":
        if len(self.message) > NDEF_BYTES_MAX:
            raise ValueError(f"an NTAG213 holds {NDEF_BYTES_MAX} bytes of NDEF")
        return self


class ClassicEntry(_CardEntry):
    """A MIFARE Classic card; ``blocks`` are written before it is handed out."""

    type: Literal["mifare_classic"]
    uid: ShortUid | None = None
    blocks: dict[Annotated[int, Field(ge=1, lt=BLOCKS)], Block] = {}


class BankCardEntry(_CardEntry):
    """A contactless payment card with the test number of each scheme, the first preferred."""

    type: Literal["emv"]
    uid: ShortUid | None = None
    schemes: Annotated[tuple[Literal["unionpay", "visa", "mastercard"], ...], Field(min_length=1)]
    expiry: Annotated[str, Field(pattern=r"^[0-9]{2}(0[1-9]|1[0-2])$")] = "3012"
    blocked: bool = False


class PhoneEntry(_CardEntry):
    """A telephone whose wallet hands over a text."""

    type: Literal["phone"]
    uid: ShortUid | None = None
    text: Text


CardEntry = Annotated[
    TagEntry | ClassicEntry | BankCardEntry | PhoneEntry, Field(discriminator="type")
]


def _usual_cards() -> dict[str, CardEntry]:
    return {
        "tag": TagEntry(type="ntag213", text="134567890123456789"),
        "classic": ClassicEntry(type="mifare_classic"),
        "unionpay": BankCardEntry(type="emv", schemes=("unionpay",)),
        "visa": BankCardEntry(type="emv", schemes=("visa",)),
        "mastercard": BankCardEntry(type="emv", schemes=("mastercard",)),
        "phone": PhoneEntry(type="phone", text="134567890123456789"),
    }


class ReaderEntry(DeviceEntry):
    """A contactless reader and the cards by name; without ``cards``, one of each kind."""

    kind: Literal["pn532"]
    cards: Annotated[
        dict[Name, CardEntry], Field(default_factory=_usual_cards, max_length=CARDS_MAX)
    ]


class PresentBody(ActBody):
    """A card by its name, or a telephone with this text."""

    card: Name | None = None
    text: Text | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "PresentBody":
        if (self.card is None) == (self.text is None):
            raise ValueError("either a card or a text")
        return self


class RemoveBody(ActBody):
    """A card by its name, or all."""

    card: Name | None = None


class WriteBody(ActBody):
    """A text for a tag."""

    card: Name
    text: Text


def _uid(given: str | None, seed: bytes, name: str, size: int) -> bytes:
    """The UID in the board file, or one that this board's card of this name always has.

    7 bytes begin with the maker (04), 4 with 08: a number that is only lent (ISO/IEC 14443-3).
    """
    if given is not None:
        return bytes.fromhex(given)
    drawn = hashlib.sha256(seed + name.encode()).digest()
    return (b"\x04" if size == 7 else b"\x08") + drawn[: size - 1]


def _tag(entry: TagEntry, seed: bytes, name: str) -> Ntag213:
    tag = Ntag213(_uid(entry.uid, seed, name, 7))
    if entry.message:
        tag.write_message(entry.message)
    return tag


def _classic(entry: ClassicEntry, seed: bytes, name: str) -> MifareClassic:
    card = MifareClassic(_uid(entry.uid, seed, name, 4))
    for number, content in entry.blocks.items():
        card.write_block(number, bytes.fromhex(content))
    return card


def _bank_card(entry: BankCardEntry, seed: bytes, name: str) -> IsoDepCard:
    schemes = [SCHEMES[scheme] for scheme in dict.fromkeys(entry.schemes)]
    software = EmvSoftware(schemes, expiry=entry.expiry, is_blocked=entry.blocked)
    return IsoDepCard(_uid(entry.uid, seed, name, 4), software)


def _phone(text: str, uid: bytes) -> IsoDepCard:
    return IsoDepCard(uid, PhoneSoftware(ndef.encode([ndef.text_record(text)])))


def _card(entry: CardEntry, seed: bytes, name: str) -> Card:
    match entry:
        case TagEntry():
            return _tag(entry, seed, name)
        case ClassicEntry():
            return _classic(entry, seed, name)
        case BankCardEntry():
            return _bank_card(entry, seed, name)
        case PhoneEntry():
            return _phone(entry.text, _uid(entry.uid, seed, name, 4))


def _build(entry: ReaderEntry, seed: bytes) -> Pn532:
    return Pn532({name: _card(one, seed, name) for name, one in entry.cards.items()})


def _state(reader: Pn532) -> State:
    texts: dict[str, JsonValue] = {
        name: _text(card) for name, card in reader.cards.items() if isinstance(card, Ntag213)
    }
    return {
        "cards": list(reader.in_field), "is_awake": reader.is_awake, "texts": texts,
        "is_field_on": reader.is_field_on, "is_searching": reader.is_searching,
        "activated": reader.activated, "commands": reader.commands, "baud": reader.baud,
    }  # fmt: skip


def _text(tag: Ntag213) -> str | None:
    try:
        text = ndef.first_text(tag.message or b"")
    except ValueError:
        return None
    return masked_numbers(text) if text else None


def _present(reader: Pn532, body: PresentBody, now_ms: int) -> None:
    if body.card is not None:
        reader.present(body.card, now_ms)
    elif body.text is not None:
        reader.give(TAP, _phone(body.text, _uid(None, body.text.encode(), TAP, 4)))
        reader.present(TAP, now_ms)


def _remove(reader: Pn532, body: RemoveBody, _: int) -> None:
    for name in [body.card] if body.card is not None else reader.in_field:
        reader.remove(name)


def _write(reader: Pn532, body: WriteBody, _: int) -> None:
    tag = reader.cards.get(body.card)
    if not isinstance(tag, Ntag213):
        raise CallerError(
            "field_invalid",
            f"no tag is called {body.card!r}",
            detail_zh=f"没有名叫 {body.card!r} 的标签",
        )
    tag.write_message(ndef.encode([ndef.text_record(body.text)]))


KIND = Kind(
    name="pn532",
    summary="contactless reader PN532 (HSU) with NTAG213, MIFARE Classic, bank cards and phones",
    entry=ReaderEntry,
    build=_build,
    state=_state,
    decoder=Pn532Decoder,
    counters=("commands",),
    hands=lambda _, reader: tuple(
        Hand(name, "present", {"card": name}) for name in reader.cards if name != TAP
    ),
    acts=(
        Act("present", "hold a card, or a phone with a text, to the reader", _present, PresentBody),
        Act("remove", "take a card, or all, away", _remove, RemoveBody),
        Act("write", "put a text into a tag", _write, WriteBody),
    ),
)
