"""Joining and rotating: what the routes under ``/enroll/v1`` call."""

from dataclasses import dataclass

from backend.identity.ca import CertificateAuthority, Holder, key_of_request
from backend.identity.enrolment import Grant, issue
from backend.identity.limits import CODE_VALID_MS, ROTATION_AGE_MS_MAX
from backend.identity.ports import DeviceStore, EnrolmentStore, RegisteredDevice
from backend.identity.sm_authority import SmAuthority
from protocol import cose
from protocol.clock import Entropy
from protocol.crypto import sm2_x509
from protocol.crypto.keys import Signs, VerifyKey
from protocol.enrolment_code import RANDOM_BYTES, PrintedCode
from protocol.errors import CallerError
from protocol.introduction import Introduction
from protocol.messages.enrolment import REQUEST_BYTES_MAX, JoinAnswer, JoinRequest, RotateRequest

_REFUSED = {"suspended": "device_suspended", "revoked": "device_revoked"}


@dataclass(frozen=True, slots=True)
class EnrolmentService:
    """The CA's desk: hands out codes, takes machines in, renews their keys."""

    codes: EnrolmentStore
    devices: DeviceStore
    ca: CertificateAuthority
    backend_keys: tuple[VerifyKey, ...]
    entropy: Entropy
    signing_key: Signs
    """The backend's, which introduces hubs."""
    sm_ca: SmAuthority | None = None
    """Issues the certificates of the profile ``sm``, in an installation that has it."""

    async def issue_code(
        self, grant: Grant, *, issued_by: str, now_ms: int, valid_ms: int = CODE_VALID_MS
    ) -> PrintedCode:
        """A new one-time code. Its text is shown to the operator and stored nowhere."""
        printed, stored = issue(
            grant,
            issued_by=issued_by,
            now_ms=now_ms,
            valid_ms=valid_ms,
            random_bytes=self.entropy.token_bytes(RANDOM_BYTES),
            ca_certificate_der=self.ca.certificate_der,
        )
        await self.codes.add(stored)
        return printed

    async def join(self, request: JoinRequest, *, now_ms: int) -> JoinAnswer:
        """Take a machine in. A retry of the same machine gets the same place again.

        ``CallerError``: ``field_invalid`` (request), ``signature_invalid`` (proof of possession),
        ``enrol_code_invalid`` (wrong, used, expired or exhausted: not told which),
        ``device_suspended`` and ``device_revoked`` (the retry of one that was stopped since).
        """
        key_of_request(request.csr)
        if request.sm_csr:
            sm2_x509.read_request(request.sm_csr)
        if not request.is_proven():
            raise CallerError("signature_invalid", "proof of possession")
        claimant = request.claimant()
        digest = request.digest()
        code = await self.codes.attempt(request.code_id, digest, claimant, now_ms=now_ms)
        if code is None:
            raise CallerError("enrol_code_invalid")
        grant = code.grant
        device = await self.devices.find(grant.tid)
        if device is not None:
            _refuse_stopped(device)
        holder = Holder(grant.kind, grant.tid, grant.names)
        certificate = self.ca.issue(request.csr, holder, now_ms=now_ms)
        sm_chain = self._sm_chain(request.sm_csr, holder, now_ms)
        await self.codes.complete(code.code_id, claimant, grant, request.key, now_ms=now_ms)
        return await self._answer(grant, request.key, certificate, sm_chain)

    async def rotate(self, signed: bytes, *, now_ms: int) -> JoinAnswer:
        """Give a machine that proves both its present and its new key a new certificate, for the
        names of its present one. Unknown, suspended, revoked and stale are refused."""
        sign1 = cose.parse1(signed, bytes_max=REQUEST_BYTES_MAX)
        request = RotateRequest.from_bytes(sign1.payload)
        device = await self.devices.find(request.tid)
        if device is None:
            raise CallerError("device_unknown")
        _refuse_stopped(device)
        if not _may_rotate(device, request, sign1):
            raise CallerError("signature_invalid")
        if abs(now_ms - request.requested_at_ms) > ROTATION_AGE_MS_MAX:
            raise CallerError("envelope_stale")
        holder = self.ca.holder_of(request.certificate)
        if (holder.kind, holder.name) != (device.kind, device.tid):
            raise CallerError("identity_mismatch", "certificate")
        issued = self.ca.issue(request.csr, holder, now_ms=now_ms)
        sm_chain = self._sm_chain(request.sm_csr, holder, now_ms)
        await self.devices.replace_key(device.tid, request.key, now_ms=now_ms)
        grant = Grant(tid=device.tid, kind=device.kind, store=device.store)
        return await self._answer(grant, request.key, issued, sm_chain)

    def _sm_chain(self, csr: bytes, holder: Holder, now_ms: int) -> tuple[bytes, ...]:
        if self.sm_ca is None or not csr:
            return ()
        return (self.sm_ca.issue(csr, holder, now_ms=now_ms), self.sm_ca.certificate_der)

    async def _answer(
        self, grant: Grant, key: VerifyKey, certificate: bytes, sm_chain: tuple[bytes, ...]
    ) -> JoinAnswer:
        introduction = Introduction(grant.tid, grant.store, key)
        return JoinAnswer(
            tid=grant.tid,
            kind=grant.kind,
            store=grant.store,
            chain=(certificate, self.ca.certificate_der),
            backend_keys=self.backend_keys,
            hub_keys=await self.devices.hub_keys(grant.store),
            hub_urls=grant.hub_urls,
            sm_chain=sm_chain,
            introduction=introduction.seal(self.signing_key) if grant.kind == "hub" else b"",
        )


def _refuse_stopped(device: RegisteredDevice) -> None:
    if device.status in _REFUSED:
        raise CallerError(_REFUSED[device.status])


def _may_rotate(device: RegisteredDevice, request: RotateRequest, sign1: cose.Sign1) -> bool:
    """The new key always signs the whole request, its time included. The present key must sign it
    too, unless the new one is the present one already: the retry of a machine that did not hear
    our answer."""
    if not request.is_proven():
        return False
    return request.key == device.key or cose.verify1(sign1, device.key)
