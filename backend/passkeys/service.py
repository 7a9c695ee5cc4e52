"""The passkeys' commands.

Rule 1: a payer has one challenge at a time, for two minutes; the first answer that holds uses
        it up.
Rule 2: a passkey is its payer's alone. A removed one answers nothing, and never comes back.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.passkeys.limits import CHALLENGE_LIFE_MS, PASSKEYS_MAX
from backend.passkeys.model import (
    Assertion,
    KnownKey,
    Registration,
    Site,
    challenge_in,
    challenge_of,
    check_assertion,
    check_registration,
)
from backend.passkeys.tables import HOLDER, PASSKEY
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawChallenge:
    """A challenge for one text; an earlier one of the payer is forgotten. Answers the challenge and
    the ids of the payer's passkeys. ``passkey_unknown`` for a payer who has none; who adds one is
    refused when there are too many."""

    payer_id: str
    text: bytes
    nonce: bytes = field(repr=False)
    is_adding: bool = False

    def reads(self) -> Iterable[Read]:
        return [(HOLDER, self.payer_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[bytes, list[bytes]]:
        known = held(ws, self.payer_id)
        if self.is_adding and len(known) >= PASSKEYS_MAX:
            raise CallerError("passkey_limit", f"{PASSKEYS_MAX}")
        if not self.is_adding and not known:
            raise CallerError("passkey_unknown", "none was added")
        challenge = challenge_of(self.nonce, self.text)
        changes = {
            "challenge": challenge,
            "nonce": self.nonce,
            "expires_at_ms": now_ms + CHALLENGE_LIFE_MS,
        }
        if ws.get(HOLDER, self.payer_id) is None:
            ws.insert(HOLDER, {"payer_id": self.payer_id, **changes})
        else:
            ws.update(HOLDER, self.payer_id, **changes)
        return challenge, known


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPasskey:
    """Keep a passkey that answers the challenge for this text. Answers its row."""

    payer_id: str
    name: str
    text: bytes
    registration: Registration
    site: Site

    def reads(self) -> Iterable[Read]:
        return [(HOLDER, self.payer_id), (PASSKEY, self.registration.credential_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        credential_id = self.registration.credential_id
        holder = _answered(ws, self.payer_id, self.text, self.registration.client_data, now_ms)
        key = check_registration(self.registration, challenge=holder["challenge"], site=self.site)
        known = held(ws, self.payer_id)
        if len(known) >= PASSKEYS_MAX:
            raise CallerError("passkey_limit", f"{PASSKEYS_MAX}")
        if ws.get(PASSKEY, credential_id) is not None:
            raise CallerError("passkey_invalid", "this passkey is known already")
        ws.insert(
            PASSKEY,
            {
                "credential_id": credential_id,
                "payer_id": self.payer_id,
                "name": self.name,
                "rp_id": self.site.rp_id,
                "public_key": key.public_key,
                "sign_count": key.sign_count,
                "created_at_ms": now_ms,
            },
        )
        _hold(ws, self.payer_id, [*known, credential_id], is_answered=True)
        return _passkey(ws, self.payer_id, credential_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class HearPasskey:
    """The payer's word by a passkey on one text (``hear``)."""

    payer_id: str
    text: bytes
    assertion: Assertion
    site: Site

    def reads(self) -> Iterable[Read]:
        return word_reads(self.payer_id, self.assertion)

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        hear(ws, self.payer_id, self.text, self.assertion, self.site, now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamePasskey:
    """The payer calls a passkey something else. Answers its row."""

    payer_id: str
    credential_id: bytes
    name: str

    def reads(self) -> Iterable[Read]:
        return [(PASSKEY, self.credential_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:  # noqa: ARG002  # no time is kept
        _passkey(ws, self.payer_id, self.credential_id)
        return ws.update(PASSKEY, self.credential_id, name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePasskey:
    """The payer removes a passkey. Saying it again changes nothing."""

    payer_id: str
    credential_id: bytes

    def reads(self) -> Iterable[Read]:
        return [(PASSKEY, self.credential_id), (HOLDER, self.payer_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        row = ws.get(PASSKEY, self.credential_id)
        if row is None or row["payer_id"] != self.payer_id:
            raise CallerError("passkey_unknown")
        if row["removed_at_ms"] is not None:
            return
        ws.update(PASSKEY, self.credential_id, removed_at_ms=now_ms)
        rest = [one for one in held(ws, self.payer_id) if one != self.credential_id]
        _hold(ws, self.payer_id, rest)


def word_reads(payer_id: str, assertion: Assertion) -> list[Read]:
    """The rows that ``hear`` works on."""
    return [(HOLDER, payer_id), (PASSKEY, assertion.credential_id)]


def hear(
    ws: WorkingSet,
    payer_id: str,
    text: bytes,
    assertion: Assertion,
    site: Site,
    now_ms: int,
) -> bytes:
    """Take a passkey's answer for the payer's word on this text, once. Answers the nonce of the
    challenge, with which anybody can see what was signed."""
    row = _passkey(ws, payer_id, assertion.credential_id)
    holder = _answered(ws, payer_id, text, assertion.client_data, now_ms)
    key = KnownKey(public_key=row["public_key"], sign_count=row["sign_count"])
    count = check_assertion(assertion, challenge=holder["challenge"], key=key, site=site)
    nonce: bytes = holder["nonce"]
    ws.update(PASSKEY, assertion.credential_id, sign_count=count, used_at_ms=now_ms)
    _hold(ws, payer_id, held(ws, payer_id), is_answered=True)
    return nonce


def held_reads(ws: WorkingSet, payer_id: str) -> list[Read]:
    """All passkeys of a payer, once the holder is loaded."""
    if ws.get(HOLDER, payer_id) is None:
        return []
    return [(PASSKEY, credential_id) for credential_id in held(ws, payer_id)]


def remove_all(ws: WorkingSet, payer_id: str, now_ms: int) -> None:
    """The payer's phone is lost: nothing on it may give a word any more."""
    for credential_id in held(ws, payer_id):
        ws.update(PASSKEY, credential_id, removed_at_ms=now_ms)
    if ws.get(HOLDER, payer_id) is not None:
        _hold(ws, payer_id, [], is_answered=True)


def held(ws: WorkingSet, payer_id: str) -> list[bytes]:
    """The ids of the payer's passkeys that are not removed, the oldest first."""
    holder = ws.get(HOLDER, payer_id)
    return [bytes.fromhex(one) for one in json.loads(holder["credential_ids"])] if holder else []


def _hold(
    ws: WorkingSet, payer_id: str, credential_ids: list[bytes], *, is_answered: bool = False
) -> None:
    over = {"challenge": b"", "nonce": b"", "expires_at_ms": 0} if is_answered else {}
    listed = json.dumps([one.hex() for one in credential_ids])
    ws.update(HOLDER, payer_id, credential_ids=listed, **over)


def _passkey(ws: WorkingSet, payer_id: str, credential_id: bytes) -> Row:
    row = ws.get(PASSKEY, credential_id)
    if row is None or row["payer_id"] != payer_id or row["removed_at_ms"] is not None:
        raise CallerError("passkey_unknown")
    return row


def _answered(ws: WorkingSet, payer_id: str, text: bytes, client_data: bytes, now_ms: int) -> Row:
    """The holder, whose challenge is answered here and is for this text."""
    holder = ws.get(HOLDER, payer_id)
    challenge = challenge_in(client_data)
    if holder is None or not challenge or challenge != holder["challenge"]:
        raise CallerError("passkey_challenge", "answered before, or replaced by another")
    if now_ms >= holder["expires_at_ms"]:
        raise CallerError("passkey_challenge", "too late")
    if challenge_of(holder["nonce"], text) != challenge:
        raise CallerError("passkey_content")
    return holder
