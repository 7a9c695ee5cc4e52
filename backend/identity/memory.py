"""The in-memory twin of the enrolment stores, held to the same contract by the same tests."""

from dataclasses import replace

from backend.identity import enrolment
from backend.identity.enrolment import EnrolmentCode, Grant
from backend.identity.ports import RegisteredDevice
from protocol.crypto.keys import VerifyKey
from protocol.errors import CallerError


class MemoryRegistry:
    """Codes and devices of one installation. Implements both ports."""

    def __init__(self) -> None:
        self.codes: dict[str, EnrolmentCode] = {}
        self.devices: dict[str, RegisteredDevice] = {}

    async def add(self, code: EnrolmentCode) -> None:
        """Store a new code."""
        present = self.codes.get(code.code_id)
        if present is not None and code.issued_at_ms < present.expires_at_ms:
            raise CallerError("busy", "enrolment code")
        self.codes[code.code_id] = code

    async def attempt(
        self, code_id: str, digest: bytes, claimant: bytes, *, now_ms: int
    ) -> EnrolmentCode | None:
        """One try."""
        code = self.codes.get(code_id)
        if code is None:
            return None
        outcome = enrolment.attempt(code, digest, claimant, now_ms=now_ms)
        self.codes[code_id] = outcome.code
        return outcome.code if outcome.is_accepted else None

    async def complete(
        self, code_id: str, claimant: bytes, grant: Grant, key: VerifyKey, *, now_ms: int
    ) -> None:
        """Use the code and register the device."""
        used = enrolment.use(self.codes[code_id], claimant, now_ms=now_ms)
        present = self.devices.get(grant.tid)
        if present is not None and present.key != key:
            raise CallerError("device_exists")
        self.codes[code_id] = used
        if present is None:
            self.devices[grant.tid] = RegisteredDevice(
                grant.tid, grant.kind, grant.store, "active", key
            )

    async def find(self, tid: str) -> RegisteredDevice | None:
        """A device by its name."""
        return self.devices.get(tid)

    async def replace_key(self, tid: str, key: VerifyKey, *, now_ms: int) -> None:  # noqa: ARG002
        """Accept a new key."""
        self.devices[tid] = replace(self.devices[tid], key=key)

    async def hub_keys(self, store: str) -> tuple[VerifyKey, ...]:
        """The keys of the store's hubs."""
        return tuple(
            device.key
            for device in self.devices.values()
            if device.kind == "hub" and device.store == store and device.status != "revoked"
        )
