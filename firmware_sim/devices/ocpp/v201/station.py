"""An OCPP 2.0.1 charge point: what it says of itself, of its states and of its firmware.

One EVSE has one connector, so the outlet's number is the EVSE's and the connector's is 1. What is
told of transactions is in ``events``, of variables in ``variables``.
"""

from typing import ClassVar

from firmware_sim.devices.ocpp.charging import Cause, ChargingStation, Make, TokenRules
from firmware_sim.devices.ocpp.connector_states import State
from firmware_sim.devices.ocpp.firmware import Stage
from firmware_sim.devices.ocpp.limits import TEXT_CHARS_MAX
from firmware_sim.devices.ocpp.log_upload import Stage as UploadStage
from firmware_sim.devices.ocpp.outbox import Letter
from firmware_sim.devices.ocpp.outlet import Outlet, Reservation
from firmware_sim.devices.ocpp.rpc import OFFLINE, Reply
from firmware_sim.devices.ocpp.shapes import Broken
from firmware_sim.devices.ocpp.station import PENDING
from firmware_sim.devices.ocpp.tokens import ACCEPTED, Standing, Token
from firmware_sim.devices.ocpp.uplink import BackOff
from firmware_sim.devices.ocpp.v201.events import Transactions
from firmware_sim.devices.ocpp.v201.readings import meter_value
from firmware_sim.devices.ocpp.v201.requests import REQUESTS
from firmware_sim.devices.ocpp.v201.settings import made_settings
from firmware_sim.devices.ocpp.v201.standing import standing_of, token_of, token_payload
from protocol.framing.ocppj import BadMessage, Call, CallError, JsonObject

NO_ID = "-1"
"""The message id of an answer to what had none (part 4, §4.2.3)."""
_WORDS = {
    State.AVAILABLE: "Available", State.RESERVED: "Reserved",
    State.UNAVAILABLE: "Unavailable", State.FAULTED: "Faulted",
}  # fmt: skip


class Ocpp201(ChargingStation):
    """A charge point of OCPP 2.0.1."""

    SUBPROTOCOL = "ocpp2.0.1"
    REQUESTS = REQUESTS
    BROKEN_CODES: ClassVar = {
        Broken.FORM: "FormatViolation",
        Broken.TYPE: "TypeConstraintViolation",
        Broken.OCCURRENCE: "OccurrenceConstraintViolation",
        Broken.PROPERTY: "PropertyConstraintViolation",
    }
    FIRMWARE_WORDS: ClassVar = {
        Stage.IDLE: "Idle", Stage.DOWNLOADING: "Downloading", Stage.DOWNLOADED: "Downloaded",
        Stage.DOWNLOAD_FAILED: "DownloadFailed", Stage.SIGNATURE_BAD: "InvalidSignature",
        Stage.INSTALLING: "Installing", Stage.REBOOTING: "InstallRebooting",
        Stage.INSTALLED: "Installed", Stage.INSTALLATION_FAILED: "InstallationFailed",
    }  # fmt: skip

    def __init__(self, make: Make) -> None:
        super().__init__(make, made_settings(make.redial_s))
        self.events = Transactions(self)
        self._is_reset_awaited = False

    # -- registration ----------------------------------------------------------------------

    def boot_payload(self) -> JsonObject:
        """B01."""
        return self._boot_payload(self.boot_cause)

    def _boot_payload(self, reason: str) -> JsonObject:
        return {
            "chargingStation": {
                "vendorName": self.plate.vendor,
                "model": self.plate.model,
                "serialNumber": self.plate.serial,
                "firmwareVersion": self.firmware_version,
            },
            "reason": reason,
        }

    def back_off(self) -> BackOff:
        """Part 4, §5.3."""
        whole = self.settings.whole
        return BackOff(
            whole("OCPPCommCtrlr.RetryBackOffWaitMinimum"),
            whole("OCPPCommCtrlr.RetryBackOffRandomRange"),
            whole("OCPPCommCtrlr.RetryBackOffRepeatTimes"),
        )

    def heartbeat_s(self) -> int:
        """The variable of that name."""
        return self.settings.whole("OCPPCommCtrlr.HeartbeatInterval")

    def unregistered(self, call: Call) -> CallError | None:
        """B03.FR.07."""
        return CallError(call.message_id, "SecurityError", "the charging station is not accepted")

    def unreadable(self, bad: BadMessage) -> CallError | None:
        """Part 4, §4.2.3: a message without an id is answered with -1."""
        if bad.is_answer:
            return None
        code = "FormatViolation" if bad.message_id else "RpcFrameworkError"
        return CallError(bad.message_id or NO_ID, code, bad.reason)

    def accepted(self, interval_s: int, now_ms: int) -> None:
        """The interval is the heartbeat's; the start is a security event (A04)."""
        if interval_s:
            self.settings.put("OCPPCommCtrlr.HeartbeatInterval", str(interval_s))
        self.arm_aligned(now_ms)
        self.ask("SecurityEventNotification", {
            "type": "StartupOfTheDevice", "timestamp": self.clock.text(now_ms),
        })  # fmt: skip

    def reconnected(self, now_ms: int) -> None:
        """B04: after a long absence every state is told, after a short one what changed."""
        absent_ms = now_ms - (self.uplink.lost_at_ms or now_ms)
        if absent_ms > self.settings.whole("OCPPCommCtrlr.OfflineThreshold") * 1000:
            for outlet in self.outlets.values():
                outlet.reported = ""

    def started(self, cause: str, now_ms: int) -> None:
        """As the base; a cable that is in may begin a transaction again."""
        self.events.forget()
        self._is_reset_awaited = False
        super().started(cause, now_ms)
        for outlet in self.outlets.values():
            if outlet.is_plugged:
                self.consider(outlet, Cause.PLUGGED, now_ms)

    # -- states ----------------------------------------------------------------------------

    def settle(self, now_ms: int) -> None:
        """As the base; then what changed is told, and a reset that waited for idleness comes."""
        super().settle(now_ms)
        for outlet in self.outlets.values():
            self.events.tell_state(outlet, now_ms)
            if self.is_registered and outlet.reported != self.status_word(outlet):
                self.tell_state(outlet, now_ms)
        if self._is_reset_awaited and self.is_idle():
            self._is_reset_awaited = False
            self.reset_soon("ScheduledReset", now_ms, is_patient=True)

    def state_passed(self, outlet: Outlet, now_ms: int) -> None:
        """2.0.1 tells the state that is reached, not the steps."""

    def status_word(self, outlet: Outlet) -> str:
        """``ConnectorStatusEnumType``: all that has a cable or waits for one is occupied."""
        return _WORDS.get(outlet.state, "Occupied")

    def station_word(self) -> str:
        """The station's own availability."""
        return "Available" if self.is_operative else "Unavailable"

    def tell_state(self, outlet: Outlet, now_ms: int) -> None:
        """G01."""
        word = outlet.reported = self.status_word(outlet)

        def told(reply: Reply, _: int) -> None:
            if reply.code == OFFLINE and outlet.reported == word:
                outlet.reported = ""

        self.ask("StatusNotification", {
            "timestamp": self.clock.text(now_ms), "connectorStatus": word,
            "evseId": outlet.number, "connectorId": 1,
        }, told)  # fmt: skip

    def reservation_over(self, outlet: Outlet, reservation: Reservation, now_ms: int) -> None:
        """H04."""
        del outlet, now_ms
        self.ask("ReservationStatusUpdate", {
            "reservationId": reservation.number, "reservationUpdateStatus": "Expired",
        })  # fmt: skip

    # -- tokens and transactions -----------------------------------------------------------

    def token_rules(self) -> TokenRules:
        """C."""
        flag = self.settings.flag
        return TokenRules(
            use_list=flag("LocalAuthListCtrlr.Enabled"),
            use_cache=flag("AuthCacheCtrlr.Enabled"),
            is_known_enough=flag("AuthCtrlr.LocalPreAuthorize"),
            is_known_enough_offline=flag("AuthCtrlr.LocalAuthorizeOffline"),
            is_unknown_enough_offline=flag("AuthCtrlr.OfflineTxForUnknownIdEnabled"),
        )

    def authorize_payload(self, token: Token) -> JsonObject:
        """C01."""
        return {"idToken": token_payload(token)}

    def standing_in(self, payload: JsonObject) -> Standing | None:
        """``idTokenInfo``."""
        return standing_of(payload.get("idTokenInfo"))

    def cable_wait_s(self) -> int:
        """E03."""
        return self.settings.whole("TxCtrlr.EVConnectionTimeOut")

    def consider(self, outlet: Outlet, cause: Cause, now_ms: int) -> None:
        """Leave it to the transactions."""
        if self.is_on:
            if outlet.is_plugged:
                self.timers.clear(f"cable:{outlet.number}")
            self.events.consider(outlet, cause, now_ms)

    def stop(self, outlet: Outlet, cause: Cause, now_ms: int, token: Token | None = None) -> None:
        """The token charges no longer, or the transaction ends outright."""
        self.events.withdraw(outlet, cause, now_ms, token)

    def running(self, key: str) -> Outlet | None:
        """The outlet of a transaction."""
        outlets = self.outlets.values()
        return next(
            (one for one in outlets if one.transaction and one.transaction.key == key), None
        )

    def limit_changed(self, outlet: Outlet, now_ms: int) -> None:
        """K: the rate changed."""
        self.events.tell(outlet, "Updated", "ChargingRateChanged", now_ms)

    def rang(self, name: str, now_ms: int) -> None:
        """A cable that did not come ends the transaction, where one has begun without it."""
        word, _, number = name.partition(":")
        if name == "aligned":
            self._align(now_ms)
        elif word == "cable" and self.outlets[int(number)].transaction:
            self.events.withdraw(self.outlets[int(number)], Cause.NO_CABLE, now_ms, None)
        else:
            super().rang(name, now_ms)

    # -- transaction messages --------------------------------------------------------------

    def retry_rule(self) -> tuple[int, int]:
        """``MessageAttempts`` and ``MessageAttemptInterval`` for ``TransactionEvent``."""
        whole = self.settings.whole
        return (
            whole("OCPPCommCtrlr.MessageAttempts@TransactionEvent"),
            whole("OCPPCommCtrlr.MessageAttemptInterval@TransactionEvent"),
        )

    def addressed(self, letter: Letter) -> JsonObject:
        """A transaction's event is complete from the start."""
        return letter.payload

    def letter_taken(self, letter: Letter, payload: JsonObject, now_ms: int) -> None:
        """The cost so far, and the token's standing (E05, C10)."""
        outlet = self.running(letter.payload["transactionInfo"]["transactionId"])
        cost = payload.get("totalCost")
        if outlet and outlet.transaction and isinstance(cost, int | float):
            outlet.transaction.cost = str(cost)[:TEXT_CHARS_MAX]
        found = self.standing_in(payload)
        if found is None or "idToken" not in letter.payload:
            return
        token = token_of(letter.payload["idToken"])
        if self.token_rules().use_cache and not self.book.is_listed(token):
            self.book.remember(token, found)
        if outlet is None or outlet.transaction is None or found.status == ACCEPTED:
            return
        self.card_shown = found.status
        if self.settings.flag("TxCtrlr.StopTxOnInvalidId"):
            self.stop(outlet, Cause.DEAUTHORIZED, now_ms)
        else:
            outlet.transaction.is_held = True

    # -- meter values ----------------------------------------------------------------------

    def sample(self, outlet: Outlet, now_ms: int) -> None:
        """J02: a periodic reading."""
        measurands = self.settings.members("SampledDataCtrlr.TxUpdatedMeasurands")
        if self.settings.flag("SampledDataCtrlr.Enabled") and measurands:
            self.events.tell(
                outlet, "Updated", "MeterValuePeriodic", now_ms,
                measurands=measurands, context="Sample.Periodic",
            )  # fmt: skip
        self.events.arm_sample(outlet, now_ms)

    def _align(self, now_ms: int) -> None:
        """J01: at the clock's full intervals, within a transaction or without."""
        measurands = self.settings.members("AlignedDataCtrlr.Measurands")
        for outlet in self.outlets.values():
            if not measurands or not self.settings.flag("AlignedDataCtrlr.Enabled"):
                break
            if outlet.transaction:
                self.events.tell(
                    outlet, "Updated", "MeterValueClock", now_ms,
                    measurands=measurands, context="Sample.Clock",
                )  # fmt: skip
            else:
                self.tell_meter(outlet, measurands, "Sample.Clock", now_ms)
        self.arm_aligned(now_ms)

    def arm_aligned(self, now_ms: int) -> None:
        """The next full interval of the day."""
        interval_s = self.settings.whole("AlignedDataCtrlr.Interval")
        self.timers.clear("aligned")
        if interval_s:
            self.timers.set("aligned", now_ms + self.clock.to_full_interval_ms(interval_s, now_ms))

    def tell_meter(self, outlet: Outlet, measurands: list[str], context: str, now_ms: int) -> None:
        """A ``MeterValues`` outside of a transaction's events."""
        timestamp = self.clock.text(now_ms)
        value = meter_value(outlet, measurands, context=context, timestamp=timestamp, now_ms=now_ms)
        if self.is_registered:
            self.ask("MeterValues", {"evseId": outlet.number, "meterValue": [value]})

    # -- what the central system sets off --------------------------------------------------

    def setting_changed(self, key: str, now_ms: int) -> None:
        """Take a new setting at once where an alarm depends on it."""
        if key == "OCPPCommCtrlr.HeartbeatInterval":
            self.rearm_heartbeat(now_ms)
        elif key == "AlignedDataCtrlr.Interval":
            self.arm_aligned(now_ms)

    def reset_when_idle(self) -> None:
        """B12: a reset that waits for the transactions to end."""
        self._is_reset_awaited = True

    def register_on_demand(self) -> bool:
        """F06: a boot notification that was asked for; not once accepted."""
        if self.registration != PENDING:
            return False
        self.timers.clear("register")
        return self.ask("BootNotification", self._boot_payload("Triggered"), self.registered)

    def tell_of_upload(self) -> bool:
        """N01."""
        words = {
            UploadStage.UPLOADING: "Uploading", UploadStage.UPLOADED: "Uploaded",
            UploadStage.FAILED: "UploadFailure",
        }  # fmt: skip
        payload: JsonObject = {"status": words.get(self.upload.stage, "Idle")}
        if self.upload.request_id is not None:
            payload["requestId"] = self.upload.request_id
        return self.ask("LogStatusNotification", payload)

    def firmware_word(self, now_ms: int) -> str:
        """L01: a download that lies ahead is told, too."""
        order = self.firmware.order
        if self.firmware.stage is Stage.SCHEDULED:
            is_ahead = order is not None and order.retrieve_at_ms > now_ms
            return "DownloadScheduled" if is_ahead else ""
        return super().firmware_word(now_ms)

    def firmware_payload(self, word: str) -> JsonObject:
        """With the number of the request, where there was one."""
        order = self.firmware.order
        if order is None or order.request_id is None or word == "Idle":
            return {"status": word}
        return {"status": word, "requestId": order.request_id}
