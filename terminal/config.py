"""What an operator may set: one TOML file, overridden by ``TILLWAY_TERMINAL_…``; frozen once read.

In the environment a nested key is joined by two underscores: ``TILLWAY_TERMINAL_HUB__PORT=8883``.
Who the terminal is stands in ``state_dir/identity``, which ``tillway enroll join`` writes.
Secrets have no default.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from protocol.config_file import ProgramSettings, read_secret, read_settings
from protocol.errors import CallerError
from protocol.framing.openpaygo import DAYS_MAX, KEY_BYTES
from protocol.identity import TlsProfileName
from protocol.money import AMOUNT_MINOR_MAX, MINOR_DIGITS
from protocol.scanned import FORM_CHARS_MAX, FORMS_MAX, USUAL_FORMS, Form, ScanTable, Use
from terminal.limits import (
    ANSWERS_KEPT_DAYS,
    ANSWERS_KEPT_DAYS_MAX,
    ANSWERS_KEPT_DAYS_MIN,
    GOODS_CODE_CHARS_MAX,
    GOODS_MAX,
    HUBS_MAX,
    ITEMS_MAX,
)
from terminal.profile import WALLETS_TAKEN, Item

_Port = Annotated[int, Field(ge=0, le=65535)]
_Minor = Annotated[int, Field(gt=0, le=AMOUNT_MINOR_MAX)]
_Name = Annotated[str, Field(min_length=1, max_length=64)]
_Word = Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
_Method = Literal["pay_code", "merchant_qr", "mandate", "offline_token"]


_MachineMethod = Literal["mandate", "pay_code", "merchant_qr"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HubAddress(_Section):
    """Another hub of the store."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8883


class HubSection(_Section):
    """The way to the store's hub. The host must stand in the hub's certificate (MQTT)."""

    transport: Literal["mqtt", "coap"] = "mqtt"
    coap_security: Literal["plain", "oscore"] = "plain"
    """``oscore`` (RFC 8613): as the hub's, for links that others can hear."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8883
    firmware_port: Annotated[int, Field(ge=1, le=65535)] = 8884
    """Where the hub hands out firmware, for a terminal with a controller board."""
    others: Annotated[tuple[HubAddress, ...], Field(max_length=HUBS_MAX - 1)] = ()
    """The store's other hubs: tried in this order when one is lost."""


class HttpSection(_Section):
    """The till page and the control API. Loopback only."""

    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    port: _Port = 8580


class MerchantSection(_Section):
    """Whose till this is."""

    id: _Name
    zh: _Name
    en: _Name
    till: _Name = "1"
    currency: Annotated[str, Field(pattern="^(" + "|".join(sorted(MINOR_DIGITS)) + ")$")] = "CNY"


class SaleSection(_Section):
    """The rules of a sale here."""

    methods: tuple[_Method, ...] = ("pay_code", "merchant_qr")
    amount_minor_max: _Minor = 10_000_000
    biometric_above_minor: Annotated[int, Field(ge=0)] | None = None
    biometric_methods: tuple[_Method, ...] = ("pay_code",)
    attended: bool = True


class FormSection(_Section):
    """What a scanned text may be: a regular expression for all of it, whose code that is, what
    it is for."""

    wallet: _Name
    form: Annotated[str, Field(min_length=1, max_length=FORM_CHARS_MAX)]
    use: Use = "pay_code"


class ScanSection(_Section):
    """How a scanned text is read: the first form that fits decides."""

    wallets: Annotated[tuple[_Name, ...], Field(max_length=FORMS_MAX)] = WALLETS_TAKEN
    """Whose pay codes are taken here."""
    forms: Annotated[tuple[FormSection, ...], Field(max_length=FORMS_MAX)] = tuple(
        FormSection(wallet=form.wallet, form=form.form, use=form.use) for form in USUAL_FORMS
    )

    def table(self) -> ScanTable:
        """The table; ``config_invalid`` for a form that is no regular expression."""
        return ScanTable([Form(**form.model_dump()) for form in self.forms], self.wallets)


class DevicesSection(_Section):
    """The ports of the peripherals; one that is not named is not there. The printer's may be
    ``tcp:HOST[:PORT]``, too. With a scanner and a contactless reader, a code is scanned or tapped.
    """

    scanner: str | None = None
    scanner_kind: Literal["gm65", "ssi"] = "gm65"
    scanner_baud: int = 9_600
    reader: str | None = None
    reader_baud: int = 115_200
    printer: str | None = None
    printer_baud: int = 115_200
    printer_flow: Literal["none", "xonxoff", "dtr"] = "none"
    paper_width_mm: Literal[58, 80] = 80
    fingerprint: str | None = None
    fingerprint_baud: int = 57_600
    fingerprint_password: _Word = 0
    fingerprint_address: _Word = 0xFFFFFFFF
    pinpad: str | None = None
    """Takes bank cards with a bank of its own (Ingenico's Protocol E)."""
    pinpad_baud: int = 9_600
    pinpad_pos: Annotated[int, Field(ge=1, le=99)] = 1
    controller: str | None = None
    """The board behind the buttons and motors, whose firmware the backend may renew."""
    secure_element: str | None = None
    """Signs for this terminal, if `tillway enroll join --element` made its key there."""
    secure_element_pin_file: Path | None = None
    mdb: str | None = None
    gate: str | None = None
    """A car park's exit: a serial port, ``tcp:HOST:PORT`` of a serial server, or
    ``modbus-tcp:HOST[:502]``."""
    gate_baud: int = 9_600
    gate_unit: Annotated[int, Field(ge=1, le=247)] = 1
    paymeter: str | None = None
    """A prepaid meter: a port as the gate's."""
    paymeter_baud: int = 9_600
    paymeter_unit: Annotated[int, Field(ge=1, le=247)] = 1


class CustomerDisplaySection(_Section):
    """The display that the payer sees; without a port there is none.

    ``baud`` None is what the kind leaves the factory with: 2400 for an LED8, else 9600.
    """

    port: str | None = None
    kind: Literal["epson_vfd", "cd5220", "led8"] = "epson_vfd"
    baud: int | None = None


class ReadingSection(_Section):
    """Where the terminal learns what it is made of: this machine, a pretended one (for terminals
    that share a machine), or nowhere."""

    source: Literal["host", "simulated", "off"] = "host"


class ItemSection(_Section):
    """One thing that a vending machine sells. ``column``: its number on the vending bus."""

    item: _Name
    zh: _Name
    en: _Name
    amount_minor: _Minor
    column: Annotated[int, Field(ge=0, le=0xFFFF)] | None = None


class GoodSection(_Section):
    """One thing that the cart knows. ``code``: its barcode."""

    code: Annotated[str, Field(pattern="^[0-9A-Za-z-]+$", max_length=GOODS_CODE_CHARS_MAX)]
    zh: _Name
    en: _Name
    amount_minor: _Minor


class VendingSection(_Section):
    """What a vending machine sells, and how it is paid: by the machine's own mandate, or by who
    stands there. The first way is tried first; one that is declined is followed by the next."""

    methods: Annotated[tuple[_MachineMethod, ...], Field(min_length=1)] = ("mandate",)
    mandate_id: str | None = None
    items: Annotated[tuple[ItemSection, ...], Field(min_length=1, max_length=ITEMS_MAX)]

    def for_sale(self) -> tuple[Item, ...]:
        """What it sells, without where it lies in the machine."""
        return tuple(Item(**item.model_dump(exclude={"column"})) for item in self.items)


class MeterSection(_Section):
    """What a prepaid meter buys by itself: so many days at a time, when little is left."""

    mandate_id: str
    per_day_minor: _Minor
    days: Annotated[int, Field(ge=1, le=DAYS_MAX)] = 7
    below_minutes: Annotated[int, Field(ge=1, le=525_600)] = 1_440
    key_file: Path | None = None
    """The meter's key, 32 hexadecimal digits; None: ``meter-key`` in the state directory."""

    @property
    def methods(self) -> tuple[_MachineMethod, ...]:
        """Nobody stands there."""
        return ("mandate",)


class ParkingSection(_Section):
    """What a car park asks at its exit, and how it is paid. A started minute counts whole."""

    per_minute_minor: _Minor
    free_minutes: Annotated[int, Field(ge=0, le=1_440)] = 0
    day_minor_max: _Minor | None = None
    """The most for each started 24 hours."""
    methods: Annotated[tuple[_MachineMethod, ...], Field(min_length=1)] = ("mandate", "merchant_qr")
    mandates: dict[Annotated[int, Field(ge=1, le=0xFFFFFFFF)], _Name] = {}
    """Whose car pays by which mandate, by the tag that the exit reads."""


class Settings(ProgramSettings):
    """The terminal's settings."""

    model_config = SettingsConfigDict(
        env_prefix="TILLWAY_TERMINAL_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    profile: Literal["till", "vending", "parking", "meter"] = "till"
    state_dir: Path = Path("var/terminal")
    passphrase_file: Path | None = None
    """Opens the sealed keys; None: ``passphrase`` in the state directory."""
    tls_profile: TlsProfileName = "p256"
    """What TLS to the hub is made of; the hub has the same."""
    hub: HubSection = HubSection()
    http: HttpSection = HttpSection()
    merchant: MerchantSection
    sale: SaleSection = SaleSection()
    scan: ScanSection = ScanSection()
    devices: DevicesSection = DevicesSection()
    customer_display: CustomerDisplaySection = CustomerDisplaySection()
    reading: ReadingSection = ReadingSection()
    vending: VendingSection | None = None
    parking: ParkingSection | None = None
    meter: MeterSection | None = None
    goods: Annotated[tuple[GoodSection, ...], Field(max_length=GOODS_MAX)] = ()
    answers_kept_days: Annotated[int, Field(ge=ANSWERS_KEPT_DAYS_MIN, le=ANSWERS_KEPT_DAYS_MAX)] = (
        ANSWERS_KEPT_DAYS
    )
    """How long signed answers are kept after what they are about was over."""

    def passphrase(self) -> bytes:
        """The passphrase; ``config_invalid`` where there is no readable private file."""
        return read_secret(self.passphrase_file or self.state_dir / "passphrase", "passphrase file")

    def meter_key(self) -> bytes:
        """The prepaid meter's key; ``config_invalid`` where there is no readable private file, or
        no key in it."""
        named = self.meter.key_file if self.meter is not None else None
        try:
            key = bytes.fromhex(
                read_secret(named or self.state_dir / "meter-key", "key file").decode()
            )
        except ValueError:
            raise CallerError("config_invalid", "meter key: not hexadecimal") from None
        if len(key) != KEY_BYTES:
            raise CallerError("config_invalid", f"meter key: not {KEY_BYTES} bytes")
        return key

    def element_pin(self) -> bytes:
        """The secure element's PIN; ``config_invalid`` where there is no readable private file."""
        named = self.devices.secure_element_pin_file
        return read_secret(named or self.state_dir / "element-pin", "secure element's PIN file")


def load(file: Path | None) -> Settings:
    """Read the settings; ``CallerError("config_invalid")`` names what is wrong, never its value."""
    settings = read_settings(Settings, file)
    machines = {
        "vending": settings.vending,
        "parking": settings.parking,
        "meter": settings.meter,
    }
    for kind, section in machines.items():
        if settings.profile == kind and section is None:
            raise CallerError("config_invalid", f"{kind}: missing")
    if settings.profile == "parking" and settings.devices.gate is None:
        raise CallerError("config_invalid", "devices.gate: missing")
    if settings.profile == "meter" and settings.devices.paymeter is None:
        raise CallerError("config_invalid", "devices.paymeter: missing")
    if settings.vending is not None and (
        ("mandate" in settings.vending.methods) != (settings.vending.mandate_id is not None)
    ):
        raise CallerError("config_invalid", "vending.mandate_id: with the method mandate, only")
    if settings.vending is not None and settings.devices.mdb is not None:
        columns = [item.column for item in settings.vending.items]
        if None in columns or len(set(columns)) < len(columns):
            raise CallerError("config_invalid", "vending.items: each has its own column on the bus")
    return settings
