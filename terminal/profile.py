"""Who this terminal is and what it may do: plain values the agent is built with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.scanned import USUAL_FORMS, ScanTable
from terminal.limits import ANSWERS_KEPT_DAYS, IDLE_LOCK_MS

WALLETS_TAKEN = ("wechat",)
"""Whose pay codes a till takes where its configuration says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A thing a vending machine sells."""

    item: str
    zh: str
    en: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """A thing a shop sells, by its barcode."""

    code: str
    zh: str
    en: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One terminal's place in the world and its rules."""

    kind: str
    """``till``, ``vending``, ``parking`` or ``meter``."""
    tid: str
    store: str
    merchant_id: str
    merchant_zh: str
    merchant_en: str
    till: str
    currency: str
    reply_to: str
    methods: tuple[str, ...] = ("pay_code", "merchant_qr")
    hub_count: int = 1
    """Hubs of the store that this terminal may turn to."""
    amount_minor_max: int = 10_000_000
    biometric_above_minor: int | None = None
    biometric_methods: frozenset[str] = field(default_factory=lambda: frozenset({"pay_code"}))
    is_attended: bool = True
    mandate_id: str | None = None
    gives_once: bool = False
    """Whether the machine, told again, gives nothing more: a gate knows whom it let out."""
    items: tuple[Item, ...] = ()
    goods: Mapping[str, Good] = field(default_factory=dict)
    """What the cart knows, by barcode."""
    scan_table: ScanTable = field(default_factory=lambda: ScanTable(USUAL_FORMS, WALLETS_TAKEN))
    language: str = "zh"
    """Of the till's pages, before a cashier has chosen one."""
    is_spoken: bool = True
    idle_lock_ms: int = IDLE_LOCK_MS
    answers_kept_days: int = ANSWERS_KEPT_DAYS
    receipt_footer_zh: str = ""
    receipt_footer_en: str = ""

    @property
    def is_machine(self) -> bool:
        """Whether nobody works here: its page is its customers'."""
        return self.kind != "till"

    @property
    def sells_once(self) -> bool:
        """Whether no item is ever sold twice: a meter's token has its count."""
        return self.kind == "meter"
