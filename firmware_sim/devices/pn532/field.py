"""The field before the antenna: which cards lie in it and which of them the chip has activated."""

from dataclasses import dataclass, field

from firmware_sim.devices.pn532.card import HALT, Card
from firmware_sim.devices.pn532.iso_dep import DESELECT, FRAME_SIZES, RATS, Initiator
from firmware_sim.limits import CARDS_IN_FIELD_MAX
from protocol.errors import CallerError

TARGETS_MAX = 2
CHIP_FRAME_SIZE = 5
"""The code of the 64 bytes that the chip takes and sends in one block (UM0701-02, 7.3.5)."""
SPEAKS_BLOCKS = 0x20
CASCADE = 0x88


@dataclass(slots=True)
class Target:
    """An activated card, and what is left of an answer too long for one frame."""

    card: Card
    ats: bytes = b""
    initiator: Initiator | None = None
    is_selected: bool = True
    sending: bytearray = field(default_factory=bytearray)
    rest: bytes = b""

    def describe(self, number: int) -> bytes:
        """The target as InListPassiveTarget tells it."""
        card = self.card
        head = bytes([number]) + card.sens_res + bytes([card.sel_res, len(card.uid)])
        return head + card.uid + self.ats


@dataclass(slots=True)
class Field:
    """The cards in reach, in the order in which they came."""

    is_on: bool = False
    cards: dict[str, Card] = field(default_factory=dict)
    targets: dict[int, Target] = field(default_factory=dict)
    current: int = 0

    def put(self, name: str, card: Card) -> None:
        """Hold a card to the antenna."""
        if len(self.cards) >= CARDS_IN_FIELD_MAX:
            raise CallerError(
                "busy",
                f"at most {CARDS_IN_FIELD_MAX} cards fit before the antenna",
                detail_zh=f"读卡器上最多放 {CARDS_IN_FIELD_MAX} 张卡",
            )
        self.cards[name] = card

    def take(self, name: str) -> None:
        """Take a card away."""
        card = self.cards.pop(name, None)
        if card is None:
            raise CallerError(
                "field_invalid",
                f"no card {name!r} lies before the antenna",
                detail_zh=f"读卡器上没有卡 {name!r}",
            )
        card.power_off()

    def switch(self, *, is_on: bool) -> None:
        """Turn the field on or off; without it every card forgets what it was told."""
        self.is_on = is_on
        if not is_on:
            self.forget()
            for card in self.cards.values():
                card.power_off()

    def forget(self) -> None:
        """No card is activated any more."""
        self.targets.clear()
        self.current = 0

    def activate(
        self, wanted: bytes, count: int, *, by_rats: bool, is_block_card: bool | None = None
    ) -> dict[int, Target]:
        """Select up to ``count`` cards, those with the UID ``wanted`` or all that do not sleep."""
        self.forget()
        self.is_on = True
        uid = _without_cascade(wanted)
        for card in self.cards.values():
            speaks_blocks = bool(card.sel_res & SPEAKS_BLOCKS)
            if len(self.targets) < min(count, TARGETS_MAX) and (
                uid in (b"", card.uid)
                and is_block_card in (None, speaks_blocks)
                and not card.is_halted
            ):
                self.targets[len(self.targets) + 1] = _activated(card, by_rats=by_rats)
        self.current = 1 if self.targets else 0
        return self.targets

    def is_near(self, target: Target) -> bool:
        """Whether an activated card still lies in a field that is on."""
        return self.is_on and any(card is target.card for card in self.cards.values())

    def select(self, number: int) -> bool:
        """Make an activated card the current one, waking it if it was put to sleep."""
        target = self.targets.get(number)
        if target is None:
            return False
        if not target.is_selected:
            self.targets[number] = _activated(target.card, by_rats=bool(target.ats))
        self.current = number
        return True

    def deselect(self, number: int, *, is_for_good: bool) -> bool:
        """Put one activated card to sleep, or all with number 0."""
        numbers = list(self.targets) if number == 0 else [number]
        if any(found not in self.targets for found in numbers):
            return False
        for found in numbers:
            target = self.targets[found]
            if self.is_near(target):
                target.card.transceive(bytes([DESELECT]) if target.initiator else HALT)
            target.is_selected = False
            if is_for_good:
                del self.targets[found]
        return True


def _activated(card: Card, *, by_rats: bool) -> Target:
    card.select()
    if not (by_rats and card.sel_res & SPEAKS_BLOCKS):
        return Target(card)
    ats = card.transceive(bytes([RATS, CHIP_FRAME_SIZE << 4]))
    if not isinstance(ats, bytes) or len(ats) < 2:
        return Target(card)
    size = FRAME_SIZES[min(ats[1] & 0x0F, CHIP_FRAME_SIZE)]
    return Target(card, ats, Initiator(size))


def _without_cascade(wanted: bytes) -> bytes:
    """Longer UIDs come with a cascade byte before each part but the last (UM0701-02, 7.3.5)."""
    if len(wanted) == 8 and wanted[0] == CASCADE:
        return wanted[1:]
    if len(wanted) == 12 and wanted[0] == wanted[4] == CASCADE:
        return wanted[1:4] + wanted[5:]
    return wanted
