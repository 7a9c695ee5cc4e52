"""What the operator's routes and page ask, without HTTP."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from backend.clock import OffsetClock
from backend.db.ports import RunRead, Submit
from backend.db.reading import Reader
from backend.devices.model import DeviceCommand, DeviceRow
from backend.devices.repository import DeviceRepository
from backend.devices.service import ChangeDevice, CreateStore
from backend.identity.enrolment import Grant
from backend.identity.service import EnrolmentService
from backend.ledger.repository import LedgerRepository
from backend.ledger.verify import verify
from backend.merchants.model import FeeBounds
from backend.merchants.routes import shown_merchant
from backend.merchants.service import CreateMerchant
from backend.operator.limits import BALANCE_CHECK_GAP_MS, VERIFICATIONS_OPEN_MAX
from backend.operator.repository import DayRepository
from backend.operator.schemas import NewCode, NewMerchant, NewStore
from protocol.clock import SECOND_MS, Clock
from protocol.crypto.keys import VerifyKey
from protocol.errors import CallerError, OperatingError

ACTOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantDefaults:
    """What a merchant gets that is created without it, and between which rates it may be."""

    fee_rate_bps: int
    fee_bounds: FeeBounds
    biometric_above_minor: int


class OperatorService:
    """One per process; owned by the event loop."""

    def __init__(
        self,
        *,
        submit: Submit,
        run_read: RunRead,
        reader: Reader,
        devices: DeviceRepository,
        enrolment: EnrolmentService,
        clock: Clock,
        defaults: MerchantDefaults,
        business_date: Callable[[int], str],
        ledger_keys: Collection[VerifyKey],
    ) -> None:
        self._submit = submit
        self._run_read = run_read
        self._reader = reader
        self._devices = devices
        self._enrolment = enrolment
        self._clock = clock
        self._defaults = defaults
        self._business_date = business_date
        self._ledger_keys = ledger_keys
        self._day = DayRepository(reader)
        self._verifying = 0
        self._books: list[dict[str, Any]] = []
        self._books_at_ms: int | None = None

    async def create_merchant(self, wanted: NewMerchant) -> dict[str, Any]:
        """The merchant's row, its bank account masked."""
        fields = wanted.model_dump()
        if fields["rate_bps"] is None:
            fields["rate_bps"] = self._defaults.fee_rate_bps
        if fields["biometric_above_minor"] is None:
            fields["biometric_above_minor"] = self._defaults.biometric_above_minor
        row = await self._submit(CreateMerchant(**fields, fee_bounds=self._defaults.fee_bounds))
        return shown_merchant(row)

    async def create_store(self, wanted: NewStore) -> dict[str, Any]:
        """The store's row."""
        row: dict[str, Any] = await self._submit(CreateStore(**wanted.model_dump()))
        return row

    async def issue_code(self, wanted: NewCode) -> dict[str, Any]:
        """The code, shown once, and until when it is good."""
        stores = await self._run_read(lambda: self._devices.merchants([wanted.store]))
        if wanted.store not in stores:
            raise CallerError("store_unknown")
        grant = Grant(
            tid=wanted.tid,
            kind=wanted.kind,
            store=wanted.store,
            names=tuple(wanted.names),
            hub_urls=tuple(wanted.hub_urls),
        )
        now_ms, valid_ms = self._clock.now_ms(), wanted.valid_s * SECOND_MS
        printed = await self._enrolment.issue_code(
            grant, issued_by=ACTOR, now_ms=now_ms, valid_ms=valid_ms
        )
        return {"code": printed.text(), "tid": wanted.tid, "expires_at_ms": now_ms + valid_ms}

    async def change_device(self, tid: str, command: DeviceCommand, reason: str) -> dict[str, Any]:
        """The device's row afterwards."""
        row: DeviceRow = await self._submit(
            ChangeDevice(tid=tid, command=command, actor=ACTOR, reason=reason)
        )
        return _plain(row.to_wire())

    async def devices(self) -> list[dict[str, Any]]:
        """Every device and what was last heard of it."""
        rows: list[dict[str, Any]] = await self._run_read(self._devices.all)
        return rows

    async def device(self, tid: str) -> dict[str, Any]:
        """One device with its history; ``device_unknown`` if there is none."""
        row = await self._run_read(lambda: self._devices.device(tid))
        if row is None:
            raise CallerError("device_unknown")
        history = await self._run_read(lambda: self._devices.history(tid))
        return {**_plain(row.to_wire()), "history": [_plain(event) for event in history]}

    async def today(self) -> dict[str, Any]:
        """The business day's figures, what is unknown, and whether the books balance."""
        now_ms = self._clock.now_ms()
        date = self._business_date(now_ms)
        figures: dict[str, Any] = await self._run_read(lambda: self._day.figures(date))
        unknowns = await self._run_read(self._day.unknowns)
        books = await self._balanced(now_ms)
        return {
            "now_ms": now_ms,
            **figures,
            "unknowns": unknowns,
            "books": books,
            "is_balanced": all(book["difference_minor"] == 0 for book in books),
        }

    async def verify_ledger(self) -> dict[str, Any]:
        """The whole proof (``tillway ledger verify``); one at a time, else ``busy``."""
        if self._verifying >= VERIFICATIONS_OPEN_MAX:
            raise OperatingError("busy", "verification")
        self._verifying += 1
        try:
            report: dict[str, Any] = await self._run_read(self._verify)
        finally:
            self._verifying -= 1
        return report

    def time(self) -> dict[str, Any]:
        """Our time, and whether it may be put forward."""
        is_offset = isinstance(self._clock, OffsetClock)
        return {"now_ms": self._clock.now_ms(), "clock_control": is_offset}

    def advance(self, advance_ms: int) -> dict[str, Any]:
        """Put the clock forward; ``not_authorized`` unless the settings allow it."""
        if not isinstance(self._clock, OffsetClock):
            raise CallerError("not_authorized", "clock_control is off")
        self._clock.advance(advance_ms)
        return self.time()

    async def _balanced(self, now_ms: int) -> list[dict[str, Any]]:
        """Debits and credits of each book; looked up at most every ``BALANCE_CHECK_GAP_MS``."""
        is_old = self._books_at_ms is None or now_ms - self._books_at_ms > BALANCE_CHECK_GAP_MS
        if is_old:
            self._books = await self._run_read(self._day.books)
            self._books_at_ms = now_ms
        return self._books

    def _verify(self) -> dict[str, Any]:
        with self._reader.snapshot() as connection:
            report = verify(LedgerRepository(connection), trusted=self._ledger_keys)
        return {
            "is_whole": report.is_whole,
            "groups": report.groups,
            "transfers": report.transfers,
            "accounts": report.accounts,
            "holds": report.holds,
            "balances": report.balances,
            "checkpoints": report.checkpoints,
            "first_bad_transfer": report.first_bad_transfer,
            "ends": {name: list(end) for name, end in report.ends.items()},
            "breaks": [asdict(found) for found in report.breaks],
        }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON has it: bytes in hexadecimal."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
