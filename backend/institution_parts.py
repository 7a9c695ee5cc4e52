"""The other institutions, built by hand: an adapter for each that is configured.

Beside ``bootstrap`` because a backend may run without any: then only balances pay.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backend.channels.acp.adapter import Merchant, UnionPayQr
from backend.channels.alipay.adapter import Alipay, App
from backend.channels.alipay.certificates import (
    CertificateNumbers,
    number_of,
    root_number_of,
    trusted_key,
)
from backend.channels.ecny import EcnyChannel
from backend.channels.facts import ChannelFacts
from backend.channels.http_channel import HttpChannel
from backend.channels.institution import Institution
from backend.channels.model import ADVANCING_BANK, ALIPAY, CUP, CUP_QR, ECNY, FUND, NUCC
from backend.channels.netsunion import NetsUnion
from backend.channels.our_banks import OurBanks
from backend.channels.ports import AgreementPort, BankPort, ChannelPort
from backend.channels.unionpay import TerminalKey, UnionPay
from backend.channels.unionpay_files import UnionPayFiles
from backend.channels.unionpay_line import Line
from backend.config import Settings
from backend.gateway_keys import certificates_of, check_private, private_key, public_key
from backend.institution_settings import (
    AlipaySettings,
    InstitutionSettings,
    UnionPayQrSettings,
    UnionPaySettings,
)
from backend.payments.sealed_codes import open_code
from backend.payments.services import Services
from backend.unionpay_trace.repository import TraceRepository
from backend.unionpay_trace.store import SqlTraces
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError

_MASTER_KEY_BYTES, _HEX_CHARS_MAX = 16, 64
Close = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Institutions:
    """Who keeps the reserve, and the channels by their ids."""

    bank: BankPort
    channels: Mapping[str, ChannelPort]
    closing: tuple[Close, ...]
    cards: AgreementPort | None = None
    """By which payers add their cards; None: no channel makes agreements."""

    async def close(self) -> None:
        """End every connection."""
        for close in reversed(self.closing):
            await close()


def configured_channels(settings: Settings) -> frozenset[str]:
    """The ids of the channels that a backend with these settings has. None without a bank."""
    found = settings.institutions
    if found.reserve_bank is None:
        return frozenset()
    named = {
        NUCC: found.netsunion,
        CUP: found.unionpay,
        ADVANCING_BANK: found.fund,
        FUND: found.fund,
        ECNY: found.ecny,
        ALIPAY: found.alipay,
        CUP_QR: found.unionpay_qr,
    }
    return frozenset(name for name, where in named.items() if where is not None)


def open_institutions(
    settings: Settings, *, services: Services, key: SigningKey
) -> Institutions | None:
    """The adapters; None where no reserve bank is configured. Nothing is connected before it is
    asked."""
    if settings.institutions.reserve_bank is None:
        return None
    return _Opening(settings, services, key).open(settings.institutions.reserve_bank)


class _Opening:
    """Builds the adapters of one backend."""

    def __init__(self, settings: Settings, services: Services, key: SigningKey) -> None:
        self._settings = settings
        self._services = services
        self._key = key
        self._open_code = partial(open_code, services.rules.code_master_key)
        self._facts: Mapping[str, ChannelFacts] = settings.routing.facts()
        self._channels: dict[str, ChannelPort] = {}
        self._closing: list[Close] = []

    def open(self, reserve_bank: InstitutionSettings) -> Institutions:
        """Everything that is configured."""
        found, channels = self._settings.institutions, self._channels
        cards: NetsUnion | None = None
        reserve = self._line_to(reserve_bank)
        own = reserve if found.own_bank is None else self._line_to(found.own_bank)
        bank = OurBanks(reserve=reserve, own=own, own_account=self._settings.own_account)
        if found.netsunion is not None:
            cards = channels[NUCC] = self._netsunion(found.netsunion)
        if found.unionpay is not None:
            channels[CUP] = self._unionpay(found.unionpay)
        if found.fund is not None:
            fund = self._line_to(found.fund)
            for name, prefix in ((ADVANCING_BANK, "/fund"), (FUND, "/advance")):
                channels[name] = HttpChannel(fund, prefix=prefix, facts=self._facts[name])
        if found.ecny is not None:
            channels[ECNY] = EcnyChannel(self._line_to(found.ecny), facts=self._facts[ECNY])
        if found.alipay is not None:
            channels[ALIPAY] = self._alipay(found.alipay)
        if found.unionpay_qr is not None:
            channels[CUP_QR] = self._unionpay_qr(found.unionpay_qr)
        return Institutions(bank, channels, tuple(self._closing), cards)

    def _line_to(self, where: InstitutionSettings) -> Institution:
        line = Institution(url=where.find, key=self._key, peer=where.peer)
        self._closing.append(line.close)
        return line

    def _netsunion(self, where: InstitutionSettings) -> NetsUnion:
        adapter = NetsUnion(
            url=where.find,
            key=self._key,
            peer=where.peer,
            clock=self._services.clock,
            facts=self._facts[NUCC],
        )
        self._closing.append(adapter.close)
        return adapter

    def _alipay(self, where: AlipaySettings) -> Alipay:
        adapter = Alipay(
            find=where.find,
            app=alipay_app(where),
            clock=self._services.clock,
            open_code=self._open_code,
            facts=self._facts[ALIPAY],
        )
        self._closing.append(adapter.close)
        return adapter

    def _unionpay_qr(self, where: UnionPayQrSettings) -> UnionPayQr:
        setting = "institutions.unionpay_qr"
        key = private_key(where.key_file, f"{setting}.key_file")
        ours = certificates_of(where.key_file, f"{setting}.key_file")[0]
        adapter = UnionPayQr(
            find=where.find,
            find_files=where.find_files,
            merchant=Merchant(
                where.mer_id,
                where.term_id,
                str(ours.serial_number),
                key,
                certificates_of(where.root_file, f"{setting}.root_file")[0],
            ),
            clock=self._services.clock,
            open_code=self._open_code,
            facts=self._facts[CUP_QR],
        )
        self._closing.append(adapter.close)
        return adapter

    def _unionpay(self, where: UnionPaySettings) -> UnionPay:
        services = self._services
        adapter = UnionPay(
            line=Line(lambda: where.find_line("iso8583")),
            traces=SqlTraces(
                submit=services.submit,
                run_read=services.run_read,
                repository=TraceRepository(services.reader),
                tid=where.terminal,
                mid=where.merchant,
            ),
            key=TerminalKey(_master_key(where.master_key_file)),
            clock=services.clock,
            files=UnionPayFiles(self._line_to(where)),
            facts=self._facts[CUP],
        )
        self._closing.append(adapter.close)
        return adapter


def alipay_app(where: AlipaySettings) -> App:
    """Our application at Alipay, with its key or its certificates."""
    setting = "institutions.alipay"
    key = private_key(where.key_file, f"{setting}.key_file")
    app, alipay, root = where.app_cert_file, where.alipay_cert_file, where.root_cert_file
    if app is None or alipay is None or root is None:
        return App(where.app_id, key, public_key(where.public_key, f"{setting}.public_key"))
    chain = certificates_of(alipay, f"{setting}.alipay_cert_file")
    roots = certificates_of(root, f"{setting}.root_cert_file")
    numbers = CertificateNumbers(
        app=number_of(certificates_of(app, f"{setting}.app_cert_file")[0]),
        root=root_number_of(roots),
        alipay=number_of(chain[0]),
    )
    return App(where.app_id, key, trusted_key(chain, roots), numbers)


def _master_key(path: Path) -> bytes:
    """The terminal's master key; ``config_invalid`` without its content where it is none."""
    try:
        check_private(path)
        with path.open("r", encoding="ascii") as file:
            key = bytes.fromhex(file.read(_HEX_CHARS_MAX))
    except (OSError, ValueError):
        raise CallerError("config_invalid", "institutions.unionpay.master_key_file") from None
    if len(key) != _MASTER_KEY_BYTES:
        raise CallerError("config_invalid", "institutions.unionpay.master_key_file")
    return key
