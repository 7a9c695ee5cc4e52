"""A payer's bank card, added by its number: its bank sends the payer a code, and who brings the
code makes the agreement by which the card is debited.

Rule 1: the number and the phone's go to the card's channel, sealed, and nowhere else: no table,
        log, error, page or address has them. The bank's name and the last four digits stay, and a
        keyed mark that knows the payer's card again.
Rule 2: only a card of the payer's own name is added: its bank compares.
Rule 3: nothing is stored between the two steps: what the code is brought for stands sealed in the
        first step's answer. It is one payer's, for one instrument, and for a while.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.channels.model import NUCC
from backend.channels.ports import AgreementPort
from backend.db.tables import Row
from backend.instruments.issuers import bank_of, card_number
from backend.instruments.limits import BINDING_LIFE_MS
from backend.instruments.model import InstrumentKind
from backend.instruments.repository import InstrumentRepository
from backend.instruments.service import AddInstrument
from backend.payments.services import Services
from backend.rate_limit import RateLimit
from backend.wallet.repository import WalletRepository
from protocol.errors import CallerError
from protocol.ids import INSTRUMENT, is_id

_CONTEXT = b"tillway card binding v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCard:
    """What a payer types, for an instrument of the wallet's id."""

    instrument_id: str
    number: str = field(repr=False)
    phone: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Begun:
    """The bank has sent a code for this card; ``seal`` goes back with it."""

    instrument_id: str
    bank: str
    last4: str
    number_mark: str = field(repr=False)
    seal: str = field(repr=False)


class CardBinding:
    """Adds payers' cards by a channel that makes agreements. ``tries`` bounds each payer's."""

    def __init__(self, services: Services, channel: AgreementPort, tries: RateLimit) -> None:
        self._services = services
        self._channel = channel
        self._tries = tries
        self._wallets = WalletRepository(services.reader)
        self._instruments = InstrumentRepository(services.reader)
        master = services.rules.code_master_key
        self._key = hmac.digest(master, _CONTEXT, hashlib.sha256)

    async def begin(self, payer_id: str, wanted: WantedCard) -> Begun:
        """Ask the card's bank, which sends a code; ``card_number_invalid``, ``card_known`` for one
        that the wallet has, and ``card_refused`` where it has no such card of this payer's."""
        number = card_number(wanted.number)
        if not is_id(wanted.instrument_id, prefix=INSTRUMENT):
            raise CallerError("id_invalid", "instrument_id")
        self._tries.take(payer_id)
        number_mark = self._mark(payer_id, number)
        await self._check_new(payer_id, wanted.instrument_id, number_mark)
        payer = await self._services.run_read(lambda: self._wallets.payer(payer_id))
        is_sent = await self._channel.send_code(
            wanted.instrument_id, account=number, name=payer["name"], phone=wanted.phone
        )
        if not is_sent:
            raise CallerError("card_refused")
        bank, last4 = bank_of(number), number[-4:]
        until_ms = self._services.clock.now_ms() + BINDING_LIFE_MS
        said = {"bank": bank, "last4": last4, "number_mark": number_mark, "until_ms": until_ms}
        seal = self._sealed(payer_id, wanted.instrument_id, said)
        return Begun(wanted.instrument_id, bank, last4, number_mark, seal)

    def begun(self, payer_id: str, instrument_id: str, seal: str) -> Begun:
        """What a seal says; ``card_binding_over`` for one that is too old, or not this payer's."""
        text, _, mac = seal.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(payer_id, instrument_id, text).encode()):
            raise CallerError("card_binding_over")
        said = json.loads(base64.urlsafe_b64decode(text))
        if self._services.clock.now_ms() >= said["until_ms"]:
            raise CallerError("card_binding_over")
        return Begun(instrument_id, said["bank"], said["last4"], said["number_mark"], seal)

    async def finish(self, payer_id: str, begun: Begun, code: str) -> Row:
        """Bring the bank's code: the card is added; ``card_code_wrong`` for another one,
        ``card_known`` where it was added meanwhile."""
        self._tries.take(payer_id)
        await self._check_new(payer_id, begun.instrument_id, begun.number_mark)
        agreement = await self._channel.agree(begun.instrument_id, code=code)
        if not agreement:
            raise CallerError("card_code_wrong")
        row: Row = await self._services.submit(
            AddInstrument(
                instrument_id=begun.instrument_id,
                payer_id=payer_id,
                kind=InstrumentKind.CARD,
                bank=begun.bank,
                last4=begun.last4,
                tokens={NUCC: agreement},
                number_mark=begun.number_mark,
            )
        )
        return row

    async def _check_new(self, payer_id: str, instrument_id: str, number_mark: str) -> None:
        """Refuse a card that is bound already, unless this is the same form sent again."""
        known = await self._services.run_read(lambda: self._instruments.of_payer(payer_id))
        others = (row for row in known if row["instrument_id"] != instrument_id)
        if any(row["number_mark"] == number_mark for row in others):
            raise CallerError("card_known")

    def _mark(self, payer_id: str, number: str) -> str:
        told = f"number\0{payer_id}\0{number}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, told, hashlib.sha256).hexdigest()

    def _sealed(self, payer_id: str, instrument_id: str, said: Mapping[str, Any]) -> str:
        text = base64.urlsafe_b64encode(json.dumps(said).encode()).decode("ascii")
        return f"{text}.{self._mac(payer_id, instrument_id, text)}"

    def _mac(self, payer_id: str, instrument_id: str, text: str) -> str:
        told = f"{payer_id}\0{instrument_id}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, told, hashlib.sha256).hexdigest()
