"""OCPP 1.6 J at the line of one charger (edition 2, §4 and §5).

A beginning that a charger says again, because our answer was lost, is known by its connector, tag,
meter and time, and gets the transaction id that it got before, until that transaction is over and
has taken nothing.
"""

import json
from contextlib import suppress
from typing import Annotated

import structlog
from pydantic import Field

from hub.ocpp.beginning import Beginning
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
    Text20,
    answer_data_transfer,
    answer_nothing,
    at_ms,
    meter_readings,
    parse,
)
from hub.ocpp.limits import SAMPLE_EVERY_S, SAY_AGAIN_STEP_S, SAY_AGAIN_TIMES, WH_MAX
from hub.ocpp.model import Charge
from hub.ocpp.paying import shown_text

log = structlog.get_logger("hub.ocpp")
_SETTINGS = {
    "MeterValueSampleInterval": str(SAMPLE_EVERY_S),
    "StopTxnSampledData": "",  # all of it was said before
    "TransactionMessageAttempts": str(SAY_AGAIN_TIMES),
    "TransactionMessageRetryInterval": str(SAY_AGAIN_STEP_S),
}
_CODES = {"OccurrenceConstraintViolation": "OccurenceConstraintViolation"}
"""As 1.6 spells it (J edition, §4.2.3)."""
_NOBODYS_NUMBER = 0
"""The transaction id of what never became a charge."""
_Connector = Annotated[int, Field(ge=0, le=1000)]
_Wh = Annotated[int, Field(ge=0, le=WH_MAX)]


class _Authorize(Form):
    idTag: Text20  # noqa: N815  # the wire's name


class _Start(Form):
    connectorId: _Connector  # noqa: N815
    idTag: Text20  # noqa: N815
    meterStart: _Wh  # noqa: N815
    timestamp: Moment


class _Meter(Form):
    connectorId: _Connector  # noqa: N815
    transactionId: int | None = None  # noqa: N815
    meterValue: MeterValues  # noqa: N815


class _Named(Form):
    transactionId: int  # noqa: N815


class _Stop(_Named):
    meterStop: _Wh  # noqa: N815
    timestamp: Moment
    reason: Text20 = "Local"


class _Status(Form):
    connectorId: _Connector  # noqa: N815
    status: Text20


class Dialect16:
    """A charger that speaks 1.6."""

    subprotocol = "ocpp1.6"
    malformed = "FormationViolation"
    ordered = frozenset({"StartTransaction", "MeterValues", "StopTransaction"})

    def __init__(self, desk: Desk, send: Send) -> None:
        self._desk = desk
        self._send = send
        self._answers: dict[str, Answer] = {
            "Authorize": self._authorize,
            "BootNotification": self._boot,
            "DataTransfer": answer_data_transfer,
            "DiagnosticsStatusNotification": answer_nothing,
            "FirmwareStatusNotification": answer_nothing,
            "Heartbeat": self._heartbeat,
            "MeterValues": self._meter_values,
            "StartTransaction": self._start,
            "StatusNotification": self._status,
            "StopTransaction": self._stop,
        }

    def greet(self) -> None:
        """As ``Dialect.greet``."""
        for key, value in _SETTINGS.items():
            self._send("ChangeConfiguration", {"key": key, "value": value})
        self._send("TriggerMessage", {"requestedMessage": "StatusNotification"})

    async def answer(self, action: str, payload: Json) -> Json:
        """As ``Dialect.answer``."""
        found = self._answers.get(action)
        if found is None:
            raise CallRefusedError("NotImplemented", action)
        try:
            return await found(payload)
        except CallRefusedError as refused:
            code = _CODES.get(refused.code, refused.code)
            raise CallRefusedError(code, refused.description) from None

    async def lay_aside(self, action: str, payload: Json) -> Json:
        """As ``Dialect.lay_aside``. What begins so is ended by its charger."""
        if action == "StartTransaction":
            return {"transactionId": _NOBODYS_NUMBER, **_tag_info(is_accepted=False)}
        if action == "StopTransaction":
            with suppress(CallRefusedError):
                number, charger = parse(_Named, payload).transactionId, self._desk.charger
                await self._desk.end_unread(lambda journal: journal.by_number(charger, number))
        return {}

    def start(self, charge: Charge) -> None:
        """§5.11."""
        self._send("RemoteStartTransaction", {"connectorId": charge.connector, "idTag": charge.tag})

    def stop(self, charge: Charge) -> None:
        """§5.12."""
        self._send("RemoteStopTransaction", {"transactionId": charge.number})

    def show(self, charge: Charge) -> None:
        """§5.5: 1.6 has no display of its own; a charger that knows our messages shows them."""
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
        grant = await self._desk.grant(parse(_Authorize, payload).idTag)
        return _tag_info(is_accepted=grant.is_accepted)

    async def _start(self, payload: Json) -> Json:
        said = parse(_Start, payload)
        began_ms = at_ms(said.timestamp)
        beginning = Beginning(
            connector=said.connectorId,
            key=f"1.6|{said.connectorId}|{said.idTag}|{said.meterStart}|{began_ms}",
            tag=said.idTag,
            wh=said.meterStart,
            at_ms=began_ms,
            may_recur=True,
        )
        charge, grant = await self._desk.begin(beginning)
        return {"transactionId": charge.number, **_tag_info(is_accepted=grant.is_accepted)}

    async def _meter_values(self, payload: Json) -> Json:
        said = parse(_Meter, payload)
        number, charger = said.transactionId, self._desk.charger
        if number is None:
            return {}
        found = meter_readings(said.meterValue, lambda one: str(one.get("unit") or "Wh"))
        if found:
            await self._desk.book.read(lambda journal: journal.by_number(charger, number), found)
        return {}

    async def _stop(self, payload: Json) -> Json:
        said = parse(_Stop, payload)
        charger = self._desk.charger
        charge = await self._desk.book.end(
            lambda journal: journal.by_number(charger, said.transactionId),
            said.meterStop,
            at_ms=at_ms(said.timestamp),
            reason=said.reason,
        )
        if charge is None and said.transactionId != _NOBODYS_NUMBER:
            log.error("ocpp_end_strange", charger=charger, number=said.transactionId)
            await self._desk.keep_unread(
                "StopTransaction", "no charge of ours", json.dumps(payload)
            )
        return {}

    async def _status(self, payload: Json) -> Json:
        said = parse(_Status, payload)
        if said.connectorId:
            waits = said.status == "Preparing"
            await self._desk.book.plugged(self._desk.charger, said.connectorId, is_waiting=waits)
        return {}


def _tag_info(*, is_accepted: bool) -> Json:
    return {"idTagInfo": {"status": "Accepted" if is_accepted else "Invalid"}}
