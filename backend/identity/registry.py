"""Enrolment on the backend's database: the ports of this room as commands on the one writer."""

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from backend.db.command import Command, Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.devices.model import DeviceKind
from backend.devices.repository import DeviceRepository
from backend.devices.service import EnrolDevice, NewKey, RotateKey
from backend.identity import enrolment
from backend.identity.enrolment import EnrolmentCode, Grant
from backend.identity.ports import RegisteredDevice
from backend.identity.tables import ENROLMENT_CODE
from protocol.crypto.keys import VerifyKey
from protocol.crypto.suites import suite_named
from protocol.errors import CallerError

ENROLMENT_ACTOR = "enrolment"
ROTATION_ACTOR = "rotation"


class SqlRegistry:
    """Codes and devices. Implements ``EnrolmentStore`` and ``DeviceStore``."""

    def __init__(
        self,
        *,
        submit: Callable[[Command], Awaitable[Any]],
        repository: DeviceRepository,
        run_read: Callable[[Callable[[], Any]], Awaitable[Any]],
    ) -> None:
        self._submit = submit
        self._repository = repository
        self._run_read = run_read

    async def add(self, code: EnrolmentCode) -> None:
        """Store a new code."""
        await self._submit(AddCode(code))

    async def attempt(
        self, code_id: str, digest: bytes, claimant: bytes, *, now_ms: int
    ) -> EnrolmentCode | None:
        """One try, and what it costs."""
        found: EnrolmentCode | None = await self._submit(
            AttemptCode(code_id=code_id, digest=digest, claimant=claimant, at_ms=now_ms)
        )
        return found

    async def complete(
        self, code_id: str, claimant: bytes, grant: Grant, key: VerifyKey, *, now_ms: int
    ) -> None:
        """Use the code and register the device, in one commit."""
        await self._submit(
            CompleteEnrolment(
                code_id=code_id, claimant=claimant, grant=grant, key=_new_key(key), at_ms=now_ms
            )
        )

    async def find(self, tid: str) -> RegisteredDevice | None:
        """A device by its name."""
        row = await self._run_read(lambda: self._repository.device(tid))
        if row is None:
            return None
        key = VerifyKey(suite_named(row.suite), row.public_key)
        return RegisteredDevice(row.tid, row.kind.value, row.store, row.status.value, key)

    async def replace_key(self, tid: str, key: VerifyKey, *, now_ms: int) -> None:  # noqa: ARG002  # the commit's time counts
        """Accept a new key; the old one ends with this commit."""
        await self._submit(RotateKey(tid=tid, key=_new_key(key), actor=ROTATION_ACTOR))

    async def hub_keys(self, store: str) -> tuple[VerifyKey, ...]:
        """The keys of the store's hubs that are not revoked."""
        rows = await self._run_read(lambda: self._repository.of_store(store))
        return tuple(
            VerifyKey(suite_named(row.suite), row.public_key)
            for row in rows
            if row.kind is DeviceKind.HUB and row.status.value != "revoked"
        )


@dataclass(frozen=True, slots=True)
class AddCode:
    """Store a code. A dead code gives its place to a new one."""

    code: EnrolmentCode

    def reads(self) -> Iterator[Read]:
        """The place."""
        yield ENROLMENT_CODE, self.code.code_id

    def decide(self, ws: WorkingSet, _now_ms: int) -> None:
        """``CallerError("busy")`` when a live code has the place."""
        found = ws.get(ENROLMENT_CODE, self.code.code_id)
        if found is None:
            ws.insert(ENROLMENT_CODE, _to_row(self.code))
            return
        if self.code.issued_at_ms < found["expires_at_ms"]:
            raise CallerError("busy", "enrolment code")
        changes = _to_row(self.code)
        del changes["code_id"]
        ws.update(ENROLMENT_CODE, self.code.code_id, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCode:
    """One try with a code. A refusal is a result, so that what it costs is kept."""

    code_id: str
    digest: bytes
    claimant: bytes
    at_ms: int

    def reads(self) -> Iterator[Read]:
        """The code."""
        yield ENROLMENT_CODE, self.code_id

    def decide(self, ws: WorkingSet, _now_ms: int) -> EnrolmentCode | None:
        """The code, if accepted."""
        found = ws.get(ENROLMENT_CODE, self.code_id)
        if found is None:
            return None
        tried = enrolment.attempt(_of_row(found), self.digest, self.claimant, now_ms=self.at_ms)
        if tried.code.attempts_left != found["attempts_left"]:
            ws.update(ENROLMENT_CODE, self.code_id, attempts_left=tried.code.attempts_left)
        return tried.code if tried.is_accepted else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteEnrolment:
    """Use an accepted code and take the machine into the registry."""

    code_id: str
    claimant: bytes
    grant: Grant
    key: NewKey
    at_ms: int

    def reads(self) -> Iterator[Read]:
        """The code, and what the registry reads."""
        yield ENROLMENT_CODE, self.code_id
        yield from self._enrol().reads()

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        """``enrol_code_invalid`` if another machine was first, ``device_exists`` for a taken
        name."""
        found = ws.get(ENROLMENT_CODE, self.code_id)
        if found is None:
            raise CallerError("enrol_code_invalid")
        code = _of_row(found)
        used = enrolment.use(code, self.claimant, now_ms=self.at_ms)
        if used is not code:
            ws.update(
                ENROLMENT_CODE, self.code_id, used_by=used.used_by, used_at_ms=used.used_at_ms
            )
        self._enrol().decide(ws, now_ms)

    def _enrol(self) -> EnrolDevice:
        return EnrolDevice(
            tid=self.grant.tid,
            kind=DeviceKind(self.grant.kind),
            store=self.grant.store,
            key=self.key,
            actor=ENROLMENT_ACTOR,
            is_active=True,
        )


def _new_key(key: VerifyKey) -> NewKey:
    return NewKey(suite=key.suite.name, public_key=key.public, kid=key.kid)


def _to_row(code: EnrolmentCode) -> Row:
    grant = code.grant
    return {
        "code_id": code.code_id,
        "digest": code.digest,
        "tid": grant.tid,
        "kind": grant.kind,
        "store": grant.store,
        "names": json.dumps(grant.names),
        "hub_urls": json.dumps(grant.hub_urls),
        "issued_by": code.issued_by,
        "issued_at_ms": code.issued_at_ms,
        "expires_at_ms": code.expires_at_ms,
        "attempts_left": code.attempts_left,
        "used_by": code.used_by,
        "used_at_ms": code.used_at_ms,
    }


def _of_row(row: Row) -> EnrolmentCode:
    grant = Grant(
        tid=row["tid"],
        kind=row["kind"],
        store=row["store"],
        names=tuple(json.loads(row["names"])),
        hub_urls=tuple(json.loads(row["hub_urls"])),
    )
    code = EnrolmentCode(
        code_id=row["code_id"],
        digest=row["digest"],
        grant=grant,
        issued_by=row["issued_by"],
        issued_at_ms=row["issued_at_ms"],
        expires_at_ms=row["expires_at_ms"],
    )
    return replace(
        code,
        attempts_left=row["attempts_left"],
        used_by=row["used_by"],
        used_at_ms=row["used_at_ms"],
    )
