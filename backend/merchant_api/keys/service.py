"""The keys' commands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchant_api.keys.tables import ACCOUNT, API_CERTIFICATE, PLATFORM_KEY
from backend.merchant_api.limits import CERTIFICATES_PER_NUMBER_MAX
from backend.merchants.tables import MERCHANT
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPlatformKeys:
    """Keep new pairs of the platform, each unless its generation is there already."""

    rows: tuple[Mapping[str, Any], ...] = field(repr=False)

    def reads(self) -> Iterable[Read]:
        return [(PLATFORM_KEY, (row["kind"], row["generation"])) for row in self.rows]

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        added = 0
        for row in self.rows:
            if ws.get(PLATFORM_KEY, (row["kind"], row["generation"])) is None:
                ws.insert(PLATFORM_KEY, {**row, "created_at_ms": now_ms})
                added += 1
        return added


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """Give a merchant a number for the interface, with its first certificate. Answers its row."""

    row: Mapping[str, Any] = field(repr=False)
    certificate: Mapping[str, Any]

    def reads(self) -> Iterable[Read]:
        return [(ACCOUNT, self.row["mchid"]), (MERCHANT, self.row["merchant_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        if ws.get(MERCHANT, self.row["merchant_id"]) is None:
            raise CallerError("merchant_unknown", self.row["merchant_id"])
        if ws.get(ACCOUNT, self.row["mchid"]) is not None:
            raise CallerError("idempotency_conflict", "mchid")
        ws.insert(ACCOUNT, {**self.row, "created_at_ms": now_ms})
        ws.insert(API_CERTIFICATE, dict(self.certificate))
        found = ws.get(ACCOUNT, self.row["mchid"])
        assert found is not None
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCertificate:
    """Another certificate of a merchant number: the old ones stay until they are retired.
    ``certificate_count`` where it has too many in use. Answers its row."""

    certificate: Mapping[str, Any]

    def reads(self) -> Iterable[Read]:
        row = self.certificate
        return [(ACCOUNT, row["mchid"]), (API_CERTIFICATE, (row["mchid"], row["serial"]))]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:  # noqa: ARG002  # its times stand in it
        mchid, row = self.certificate["mchid"], dict(self.certificate)
        account = _number(ws, mchid)
        count = account["certificate_count"] + 1
        if count > CERTIFICATES_PER_NUMBER_MAX:
            raise CallerError("certificate_count", f"{CERTIFICATES_PER_NUMBER_MAX} in use")
        ws.insert(API_CERTIFICATE, row)
        ws.update(ACCOUNT, mchid, certificate_count=count)
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireCertificate:
    """Calls that this certificate proves are refused from now on; again, it changes nothing.
    ``certificate_count`` for the last in use: the number could not call any more."""

    mchid: str
    serial: str

    def reads(self) -> Iterable[Read]:
        return [(ACCOUNT, self.mchid), (API_CERTIFICATE, (self.mchid, self.serial))]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        key = (self.mchid, self.serial)
        account, row = _number(ws, self.mchid), ws.get(API_CERTIFICATE, key)
        if row is None:
            raise CallerError("certificate_unknown", self.serial)
        if row["retired_at_ms"] is not None:
            return row
        left = account["certificate_count"] - 1
        if not left:
            raise CallerError("certificate_count", "the last in use")
        ws.update(ACCOUNT, self.mchid, certificate_count=left)
        return ws.update(API_CERTIFICATE, key, retired_at_ms=now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSecret:
    """Another APIv3 or APIv2 key of a merchant number, from now on."""

    mchid: str
    column: Literal["api_v3_sealed", "api_v2_sealed"]
    sealed: bytes = field(repr=False)

    def reads(self) -> Iterable[Read]:
        return [(ACCOUNT, self.mchid)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # no time is kept
        _number(ws, self.mchid)
        ws.update(ACCOUNT, self.mchid, **{self.column: self.sealed})


def _number(ws: WorkingSet, mchid: str) -> Row:
    account = ws.get(ACCOUNT, mchid)
    if account is None:
        raise CallerError("merchant_unknown", mchid)
    return account
