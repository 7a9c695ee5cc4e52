"""One-time codes, as pure rules: issued with an end, kept as a hash, good for one machine.

Rule 1: the secret is never stored; two digests are compared in constant time.
Rule 2: a wrong try costs one of ``CODE_ATTEMPTS_MAX``; at zero the code is dead.
Rule 3: a used code answers again only to the very machine that used it (its retry), while valid.
"""

import hmac
from dataclasses import dataclass, replace

from backend.identity.ca import PROFILES, check_names
from backend.identity.limits import CODE_ATTEMPTS_MAX, CODE_VALID_MS_MAX
from protocol.enrolment_code import PrintedCode, mint_code
from protocol.errors import CallerError
from protocol.messages.enrolment import KINDS, URL_CHARS_MAX, URLS_MAX
from protocol.topics import is_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What the operator lets a machine become."""

    tid: str
    kind: str
    store: str
    names: tuple[str, ...] = ()
    hub_urls: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise ``CallerError("field_invalid")`` for what nobody may become."""
        if not (is_name(self.tid) and is_name(self.store) and self.kind in KINDS):
            raise CallerError("field_invalid", "tid, store or kind")
        if check_names(self.names) and not PROFILES[self.kind].is_server:
            raise CallerError("field_invalid", "host names are for hubs")
        if len(self.hub_urls) > URLS_MAX or any(len(u) > URL_CHARS_MAX for u in self.hub_urls):
            raise CallerError("field_invalid", "hub addresses")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentCode:
    """A code as it is stored."""

    code_id: str
    digest: bytes
    grant: Grant
    issued_by: str
    issued_at_ms: int
    expires_at_ms: int
    attempts_left: int = CODE_ATTEMPTS_MAX
    used_by: bytes | None = None
    used_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """The outcome of one try: the code as it must be stored now, and whether to go on."""

    code: EnrolmentCode
    is_accepted: bool


def issue(
    grant: Grant,
    *,
    issued_by: str,
    now_ms: int,
    valid_ms: int,
    random_bytes: bytes,
    ca_certificate_der: bytes,
) -> tuple[PrintedCode, EnrolmentCode]:
    """A new code: the printed one, shown once, and the stored one."""
    grant.check()
    if not 0 < valid_ms <= CODE_VALID_MS_MAX:
        raise CallerError("field_invalid", "validity")
    printed = mint_code(random_bytes, ca_certificate_der)
    stored = EnrolmentCode(
        code_id=printed.code_id,
        digest=printed.digest(),
        grant=grant,
        issued_by=issued_by,
        issued_at_ms=now_ms,
        expires_at_ms=now_ms + valid_ms,
    )
    return printed, stored


def attempt(code: EnrolmentCode, digest: bytes, claimant: bytes, *, now_ms: int) -> Attempt:
    """Judge one try. A refusal is a result, so that what it costs is stored, too."""
    is_live = code.attempts_left > 0 and code.issued_at_ms <= now_ms < code.expires_at_ms
    is_right = hmac.compare_digest(code.digest, digest)
    if not is_live:
        return Attempt(code, is_accepted=False)
    if not is_right:
        return Attempt(replace(code, attempts_left=code.attempts_left - 1), is_accepted=False)
    is_free = code.used_by is None or hmac.compare_digest(code.used_by, claimant)
    return Attempt(code, is_accepted=is_free)


def use(code: EnrolmentCode, claimant: bytes, *, now_ms: int) -> EnrolmentCode:
    """Mark an accepted code as used; ``CallerError("enrol_code_invalid")`` if another was first."""
    if code.used_by is not None:
        if hmac.compare_digest(code.used_by, claimant):
            return code
        raise CallerError("enrol_code_invalid")
    return replace(code, used_by=claimant, used_at_ms=now_ms)
