"""A payer's bank card, added by its number: its bank sends the payer a code, and who brings the
code makes the agreement by which the card is debited.

Rule 1: the number and the phone's go to the card's channel, sealed, and nowhere else: no table,
        log, error, page or address has them. The bank's name and the last four digits stay.
Rule 2: only a card of the payer's own name is added: its bank compares.
Rule 3: nothing is stored between the two steps: what the code is brought for stands sealed in the
        first step's answer. It is one payer's, for one instrument, and for a while.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from backend.channels.model import NUCC
from backend.channels.ports import AgreementPort
from backend.db.tables import Row
from backend.instruments.issuers import bank_of, card_number
from backend.instruments.limits import BINDING_LIFE_MS
from backend.instruments.model import InstrumentKind
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
    seal: str = field(repr=False)


class CardBinding:
    """Adds payers' cards by a channel that makes agreements. ``tries`` bounds each payer's."""

    def __init__(self, services: Services, channel: AgreementPort, tries: RateLimit) -> None:
        self._services = services
        self._channel = channel
        self._tries = tries
        self._wallets = WalletRepository(services.reader)
        master = services.rules.code_master_key
        self._key = hmac.digest(master, _CONTEXT, hashlib.sha256)

    async def begin(self, payer_id: str, wanted: WantedCard) -> Begun:
        """Ask the card's bank, which sends a code; ``card_number_invalid``, and ``card_refused``
        where it has no such card of this payer's."""
        number = card_number(wanted.number)
        if not is_id(wanted.instrument_id, prefix=INSTRUMENT):
            raise CallerError("id_invalid", "instrument_id")
        self._tries.take(payer_id)
        payer = await self._services.run_read(lambda: self._wallets.payer(payer_id))
        is_sent = await self._channel.send_code(
            wanted.instrument_id, account=number, name=payer["name"], phone=wanted.phone
        )
        if not is_sent:
            raise CallerError("card_refused")
        bank, last4 = bank_of(number), number[-4:]
        until_ms = self._services.clock.now_ms() + BINDING_LIFE_MS
        seal = self._sealed(payer_id, wanted.instrument_id, bank, last4, until_ms)
        return Begun(wanted.instrument_id, bank, last4, seal)

    def begun(self, payer_id: str, instrument_id: str, seal: str) -> Begun:
        """What a seal says; ``card_binding_over`` for one that is too old, or not this payer's."""
        text, _, mac = seal.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(payer_id, instrument_id, text).encode()):
            raise CallerError("card_binding_over")
        said = json.loads(base64.urlsafe_b64decode(text))
        if self._services.clock.now_ms() >= said["until_ms"]:
            raise CallerError("card_binding_over")
        return Begun(instrument_id, said["bank"], said["last4"], seal)

    async def finish(self, payer_id: str, begun: Begun, code: str) -> Row:
        """Bring the bank's code: the card is added; ``card_code_wrong`` for another one."""
        self._tries.take(payer_id)
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
            )
        )
        return row

    def _sealed(
        self, payer_id: str, instrument_id: str, bank: str, last4: str, until_ms: int
    ) -> str:
        said = json.dumps({"bank": bank, "last4": last4, "until_ms": until_ms})
        text = base64.urlsafe_b64encode(said.encode()).decode("ascii")
        return f"{text}.{self._mac(payer_id, instrument_id, text)}"

    def _mac(self, payer_id: str, instrument_id: str, text: str) -> str:
        told = f"{payer_id}\0{instrument_id}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, told, hashlib.sha256).hexdigest()
