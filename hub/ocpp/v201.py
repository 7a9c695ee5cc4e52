"""OCPP 2.0.1 at the line of one charger (part 2; use cases C, E, F, I).

A transaction is known by the charger's ``transactionId``, and counts from its first token on: from
what the meter shows with that, or else showed latest before. Its
events may come late and again; what the book knows already moves nothing. A beginning with a card
that comes after something later of it still says where it counts from. An end that comes before
its beginning waits for it, unless it says all by itself: whose card, and both readings. The cost
is told with each event (I02), and by CostUpdated.
"""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from hub.ocpp.beginning import Beginning, beginning_of
from hub.ocpp.dialect import (
    VENDOR,
    Answer,
    CallRefusedError,
    Desk,
    Form,
    Json,
    MeterValues,
    Moment,
    Send,
    Text36,
    answer_data_transfer,
    answer_nothing,
    at_ms,
    meter_readings,
    parse,
)
from hub.ocpp.early import EarlyEnd, is_somebodys
from hub.ocpp.limits import (
    SAMPLE_EVERY_S,
    SAY_AGAIN_STEP_S,
    SAY_AGAIN_TIMES,
    UNREAD_CHARS_MAX,
)
from hub.ocpp.model import Charge, ChargeState
from hub.ocpp.paying import shown_text
from protocol.money import MINOR_DIGITS

_OF_EVENTS = {"instance": "TransactionEvent"}
_SETTINGS: tuple[tuple[str, Json, int], ...] = (
    ("SampledDataCtrlr", {"name": "TxUpdatedInterval"}, SAMPLE_EVERY_S),
    ("SampledDataCtrlr", {"name": "TxEndedInterval"}, 0),
    ("OCPPCommCtrlr", {"name": "MessageAttempts", **_OF_EVENTS}, SAY_AGAIN_TIMES),
    ("OCPPCommCtrlr", {"name": "MessageAttemptInterval", **_OF_EVENTS}, SAY_AGAIN_STEP_S),
)
_Evse = Annotated[int, Field(ge=0, le=1000)]


class _IdToken(Form):
    idToken: Text36  # noqa: N815  # the wire's name


class _Authorize(Form):
    idToken: _IdToken  # noqa: N815


class _EvseForm(Form):
    id: _Evse


class _Named(Form):
    transactionId: Text36  # noqa: N815


class _Transaction(_Named):
    stoppedReason: Text36 = "Local"  # noqa: N815


class _Event(Form):
    eventType: Literal["Started", "Updated", "Ended"]  # noqa: N815
    timestamp: Moment
    transactionInfo: _Transaction  # noqa: N815
    evse: _EvseForm | None = None
    idToken: _IdToken | None = None  # noqa: N815
    meterValue: MeterValues = ()  # noqa: N815


class _NamedEvent(Form):
    eventType: str = ""  # noqa: N815
    transactionInfo: _Named  # noqa: N815


class _Status(Form):
    evseId: _Evse  # noqa: N815
    connectorStatus: Text36  # noqa: N815


class Dialect201:
    """A charger that speaks 2.0.1."""

    subprotocol = "ocpp2.0.1"
    malformed = "FormatViolation"
    ordered = frozenset({"TransactionEvent"})

    def __init__(self, desk: Desk, send: Send) -> None:
        self._desk = desk
        self._send = send
        self._starts = 0
        self._answers: dict[str, Answer] = {
            "Authorize": self._authorize,
            "BootNotification": self._boot,
            "DataTransfer": answer_data_transfer,
            "Heartbeat": self._heartbeat,
            "StatusNotification": self._status,
            "TransactionEvent": self._event,
            **dict.fromkeys(
                (
                    "FirmwareStatusNotification",
                    "LogStatusNotification",
                    "MeterValues",
                    "NotifyEvent",
                    "NotifyReport",
                    "ReservationStatusUpdate",
                    "SecurityEventNotification",
                ),
                answer_nothing,
            ),
        }

    def greet(self) -> None:
        """As ``Dialect.greet``. One variable a message: some chargers take no more."""
        for component, variable, value in _SETTINGS:
            setting = {
                "component": {"name": component},
                "variable": variable,
                "attributeValue": str(value),
            }
            self._send("SetVariables", {"setVariableData": [setting]})
        self._send("TriggerMessage", {"requestedMessage": "StatusNotification"})

    async def answer(self, action: str, payload: Json) -> Json:
        """As ``Dialect.answer``."""
        found = self._answers.get(action)
        if found is None:
            raise CallRefusedError("NotImplemented", action)
        return await found(payload)

    async def lay_aside(self, action: str, payload: Json) -> Json:
        """As ``Dialect.lay_aside``. What begins so is ended by its charger."""
        del action  # there is one
        with suppress(CallRefusedError):
            said, charger = parse(_NamedEvent, payload), self._desk.charger
            key = said.transactionInfo.transactionId
            if await self._desk.book.run(lambda journal: journal.by_key(charger, key)):
                if said.eventType == "Ended":
                    await self._desk.end_unread(lambda journal: journal.by_key(charger, key))
                return {}
        return _token_info(is_accepted=False)

    def start(self, charge: Charge) -> None:
        """F01, F02."""
        self._send(
            "RequestStartTransaction",
            {
                "evseId": charge.connector,
                "remoteStartId": charge.number,
                "idToken": {"idToken": charge.tag, "type": "Central"},
            },
        )

    def stop(self, charge: Charge) -> None:
        """F03."""
        self._send("RequestStopTransaction", {"transactionId": charge.key})

    def show(self, charge: Charge) -> None:
        """I02 for what runs; what 2.0.1 has no words for (a code to scan) as our own message."""
        if charge.state is ChargeState.RUNNING:
            self._send(
                "CostUpdated",
                {"totalCost": float(_cost(charge)), "transactionId": charge.key},
                shows=charge.connector,
            )
            return
        self._send(
            "DataTransfer",
            {"vendorId": VENDOR, "messageId": "Charge", "data": shown_text(charge)},
            shows=charge.connector,
        )

    async def _boot(self, payload: Json) -> Json:
        del payload
        return self._desk.booted()

    async def _heartbeat(self, payload: Json) -> Json:
        del payload
        return {"currentTime": self._desk.now_text()}

    async def _authorize(self, payload: Json) -> Json:
        grant = await self._desk.grant(parse(_Authorize, payload).idToken.idToken)
        return _token_info(is_accepted=grant.is_accepted)

    async def _event(self, payload: Json) -> Json:
        said = parse(_Event, payload)
        readings = meter_readings(said.meterValue, _unit)
        tag = said.idToken.idToken if said.idToken else ""
        charger, key = self._desk.charger, said.transactionInfo.transactionId
        charge = await self._desk.book.run(lambda journal: journal.by_key(charger, key))
        info: Json = {}
        is_end = said.eventType == "Ended"
        beginning = Beginning(
            connector=said.evse.id if said.evse else 0,
            key=key,
            tag=tag,
            wh=readings[0][0] if readings else None,
            at_ms=at_ms(said.timestamp),
        )
        if charge is None and is_end:
            early = _early(charger, said, readings, payload)
            if not early.is_complete and (charge := await self._desk.hold_end(early)) is None:
                return {}
            beginning = beginning_of(early)
        if charge is None and not tag:
            # Nobody's yet: nothing flows before a token is accepted. From here it will.
            if readings:
                await self._desk.note_tokenless(key, readings[-1])
            return {}
        is_late = charge is not None and bool(tag) and said.eventType == "Started"
        if charge is None:
            charge, grant = await self._desk.begin(beginning)
            info = _token_info(is_accepted=grant.is_accepted)
        elif tag:
            info = _token_info(is_accepted=charge.state is not ChargeState.REFUSED)
        if is_late:
            charge = await self._desk.begin_late(beginning, json.dumps(payload)) or charge
        elif readings:
            found = await self._desk.book.read(
                lambda journal: journal.by_key(charger, key), readings
            )
            charge = found or charge
        if is_end:
            ended = await self._desk.book.end(
                lambda journal: journal.by_key(charger, key),
                readings[-1][0] if readings else None,
                at_ms=at_ms(said.timestamp),
                reason=said.transactionInfo.stoppedReason,
            )
            charge = ended or charge
        return {**info, "totalCost": float(_cost(charge))}

    async def _status(self, payload: Json) -> Json:
        said = parse(_Status, payload)
        if said.evseId:
            waits = said.connectorStatus == "Occupied"
            await self._desk.book.plugged(self._desk.charger, said.evseId, is_waiting=waits)
        return {}


def _early(charger: str, said: _Event, readings: list[tuple[int, int]], payload: Json) -> EarlyEnd:
    tag = said.idToken.idToken if said.idToken else ""
    words = json.dumps(payload)[:UNREAD_CHARS_MAX]
    return EarlyEnd(
        charger=charger,
        key=said.transactionInfo.transactionId,
        at_ms=at_ms(said.timestamp),
        reason=said.transactionInfo.stoppedReason,
        connector=said.evse.id if said.evse else 0,
        tag=tag,
        first=readings[0] if readings else None,
        last=readings[-1] if readings else None,
        said=words if is_somebodys(readings, tag) else "",
    )


def _unit(sampled: Json) -> str:
    unit = sampled.get("unitOfMeasure")
    return str(unit.get("unit") or "Wh") if isinstance(unit, dict) else "Wh"


def _cost(charge: Charge) -> Decimal:
    minor = charge.amount_minor if charge.ended_at_ms else charge.cost_minor
    return Decimal(minor).scaleb(-MINOR_DIGITS[charge.currency])


def _token_info(*, is_accepted: bool) -> Json:
    return {"idTokenInfo": {"status": "Accepted" if is_accepted else "Invalid"}}
