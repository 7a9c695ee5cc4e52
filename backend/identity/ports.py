"""What the enrolment service needs of the database. Each method is one commit."""

from dataclasses import dataclass
from typing import Protocol

from backend.identity.enrolment import EnrolmentCode, Grant
from protocol.crypto.keys import VerifyKey


@dataclass(frozen=True, slots=True)
class RegisteredDevice:
    """A device as the registry has it."""

    tid: str
    kind: str
    store: str
    status: str
    key: VerifyKey


class EnrolmentStore(Protocol):
    """Codes, and the one moment in which a code becomes a device."""

    async def add(self, code: EnrolmentCode) -> None:
        """Store a new code; ``CallerError("busy")`` when its id is taken by a live one."""
        ...

    async def attempt(
        self, code_id: str, digest: bytes, claimant: bytes, *, now_ms: int
    ) -> EnrolmentCode | None:
        """Run :func:`backend.identity.enrolment.attempt` on the stored code and keep what it
        costs. The code if accepted, else None (also when there is no such code)."""
        ...

    async def complete(
        self, code_id: str, claimant: bytes, grant: Grant, key: VerifyKey, *, now_ms: int
    ) -> None:
        """In one transaction: :func:`backend.identity.enrolment.use` the code and register the
        device as active. Repeating it with the same claimant changes nothing."""
        ...


class DeviceStore(Protocol):
    """The registry of devices."""

    async def find(self, tid: str) -> RegisteredDevice | None:
        """A device by its name."""
        ...

    async def replace_key(self, tid: str, key: VerifyKey, *, now_ms: int) -> None:
        """Accept a new signing key from now on; the old one is accepted no longer."""
        ...

    async def hub_keys(self, store: str) -> tuple[VerifyKey, ...]:
        """The keys of the store's hubs that are not revoked."""
        ...
