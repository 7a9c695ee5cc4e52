"""Devices' commands: a reading is kept first, then judged beside the payments, then its verdict is
what the next payment sees.

Rule 1: a payment never waits for a judgement. Until there is one, the earlier verdict stands, and
        the payment's facts say that its reading is pending.
Rule 2: a judgement is written once; a person may accept afterwards what it refused.
Rule 3: an attack raises an alarm in the same transaction as its verdict.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.payments.idempotency import first_answer, remember, request_read
from backend.payments.model import Answer, DeviceRequest
from backend.risk.cases.model import CaseClock, Severity, Subject
from backend.risk.cases.service import Alarm, alarm_follow, alarm_reads, raise_alarm
from backend.risk.devices.judging import Trust, Verdict
from backend.risk.devices.limits import READINGS_PER_DEVICE_PER_DAY_MAX, WORDS_CHARS_MAX
from backend.risk.devices.pseudonyms import pseudonymous, to_text
from backend.risk.devices.readings import ReadingError, plain_reading
from backend.risk.devices.tables import DEVICE_TRUST, READING
from protocol.clock import DAY_MS
from protocol.errors import CallerError
from protocol.limits import IDENTIFIER_CHARS_MAX
from protocol.messages import DeviceFingerprint

HONEST = frozenset({Verdict.SAME, Verdict.DRIFTED})
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepReading:
    """A device says what it is made of. It is answered with our time, whatever is thought of it:
    who lies learns nothing from the answer."""

    request: DeviceRequest
    key: bytes
    """Of the pseudonyms."""

    def reads(self) -> Iterable[Read]:
        return [request_read(self.request), (DEVICE_TRUST, self.request.device)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Answer:
        told = first_answer(ws, self.request)
        if told is not None:
            return told
        body = self.request.body
        if not isinstance(body, DeviceFingerprint):
            raise CallerError("field_invalid", "body")
        try:
            reading = pseudonymous(plain_reading(body.attrs), self.key)
        except ReadingError as wrong:
            raise CallerError("field_invalid", str(wrong)) from None
        self._keep(ws, to_text(reading), body.digest, now_ms)
        return remember(ws, self.request, ("pong", {"now_ms": now_ms}), now_ms)

    def _keep(self, ws: WorkingSet, attrs: str, digest: bytes, now_ms: int) -> None:
        tid, day = self.request.device, now_ms // DAY_MS
        known = ws.get(DEVICE_TRUST, tid)
        count = 0 if known is None else known["reading_count"]
        day_count = known["day_count"] if known is not None and known["day"] == day else 0
        if day_count >= READINGS_PER_DEVICE_PER_DAY_MAX:
            return
        changes = {
            "reading_count": count + 1,
            "day": day,
            "day_count": day_count + 1,
            "digest": digest,
        }
        if known is None:
            ws.insert(DEVICE_TRUST, {"tid": tid, **changes})
        else:
            ws.update(DEVICE_TRUST, tid, **changes)
        ws.insert(
            READING,
            {
                "tid": tid,
                "number": count + 1,
                "received_at_ms": now_ms,
                "attrs": attrs,
                "digest": digest,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepJudgement:
    """What the judge thinks of a reading; returns whether it was the first to say so."""

    tid: str
    number: int
    trust: Trust
    is_accepted: bool
    case_id: str
    """Of the case that an attack opens."""
    clock: CaseClock

    def reads(self) -> Iterable[Read]:
        found: list[Read] = [(READING, (self.tid, self.number)), (DEVICE_TRUST, self.tid)]
        return found if self._is_honest else [*found, *alarm_reads(self._alarm)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        return [] if self._is_honest else alarm_follow(ws, self._alarm)

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        reading = ws.get(READING, (self.tid, self.number))
        standing = ws.get(DEVICE_TRUST, self.tid)
        if reading is None or standing is None:
            raise CallerError("reading_not_found", f"{self.tid} {self.number}")
        if reading["judged_at_ms"]:
            return False
        said = {
            "trust_ppm": round(self.trust.trust * _MILLION),
            "verdict": self.trust.verdict.value,
        }
        ws.update(
            READING,
            (self.tid, self.number),
            judged_at_ms=now_ms,
            reasons=_json(self.trust.reasons),
            changed=_json(self.trust.changed),
            accepted_at_ms=now_ms if self.is_accepted else 0,
            **said,
        )
        if self.number > standing["judged_number"]:
            ws.update(DEVICE_TRUST, self.tid, **_judged(reading), **said)
        if not self._is_honest:
            raise_alarm(ws, self._alarm, clock=self.clock, now_ms=now_ms)
        return True

    @property
    def _is_honest(self) -> bool:
        return self.trust.verdict in HONEST

    @property
    def _alarm(self) -> Alarm:
        return Alarm(
            case_id=self.case_id,
            source="devices",
            subject=Subject.DEVICE,
            subject_id=self.tid,
            severity=Severity.HIGH,
            reason=self.trust.verdict.value,
            reference=f"reading {self.number}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReading:
    """A person says that a refused reading is the device's own: its board was repaired."""

    tid: str
    number: int
    by: str
    words: str

    def reads(self) -> Iterable[Read]:
        return [(READING, (self.tid, self.number)), (DEVICE_TRUST, self.tid)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        is_good = (
            0 < len(self.by.strip()) <= IDENTIFIER_CHARS_MAX
            and 0 < len(self.words.strip()) <= WORDS_CHARS_MAX
        )
        if not is_good:
            raise CallerError("field_invalid", "by or words")
        reading = ws.get(READING, (self.tid, self.number))
        standing = ws.get(DEVICE_TRUST, self.tid)
        if reading is None or standing is None or not reading["judged_at_ms"]:
            raise CallerError("reading_not_found", f"{self.tid} {self.number}")
        if reading["accepted_at_ms"]:
            return reading
        if self.number == standing["judged_number"]:
            ws.update(DEVICE_TRUST, self.tid, trust_ppm=_MILLION, verdict=Verdict.DRIFTED.value)
        return ws.update(
            READING,
            (self.tid, self.number),
            accepted_at_ms=now_ms,
            accepted_by=self.by.strip(),
            words=self.words.strip(),
        )


def _judged(reading: Row) -> dict[str, Any]:
    return {
        "judged_number": reading["number"],
        "judged_digest": reading["digest"],
        "judged_received_at_ms": reading["received_at_ms"],
    }


def _json(texts: Iterable[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=False)
