"""An OCPP 1.6 J charge point: what it says of itself, of its states and of its transactions.

Rule 1: a transaction begins when a granted token and a cable are both there (§3.4, §4.8), and
gets its id from the central system; until that came, what follows waits behind it. Rule 2: where
the id never came, the messages that follow carry -1 (errata 4.0, 3.30). Rule 3: a status is sent
for each step in the table of states.
"""

from typing import ClassVar

from firmware_sim.devices.ocpp.charging import Cause, ChargingStation, Make, TokenRules
from firmware_sim.devices.ocpp.firmware import Stage
from firmware_sim.devices.ocpp.log_upload import Stage as UploadStage
from firmware_sim.devices.ocpp.outbox import Letter, Part
from firmware_sim.devices.ocpp.outlet import Outlet, Reservation, Transaction
from firmware_sim.devices.ocpp.rpc import Reply
from firmware_sim.devices.ocpp.shapes import Broken
from firmware_sim.devices.ocpp.tokens import ACCEPTED, Standing, Token
from firmware_sim.devices.ocpp.uplink import BackOff
from firmware_sim.devices.ocpp.v16.metering import Metering
from firmware_sim.devices.ocpp.v16.requests import REQUESTS
from firmware_sim.devices.ocpp.v16.settings import made_settings
from firmware_sim.devices.ocpp.v16.standing import standing_of
from protocol.framing.ocppj import BadMessage, Call, CallError, JsonObject

NO_ERROR = "NoError"
DEFECTS = frozenset({
    "ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature",
    "InternalError", "OtherError", "OverCurrentFailure", "PowerMeterFailure",
    "PowerSwitchFailure", "ReaderFailure", "UnderVoltage", "OverVoltage", "WeakSignal",
})  # fmt: skip
STOP_REASONS = {
    Cause.UNPLUGGED: "EVDisconnected", Cause.CARD: "Local", Cause.REMOTE_STOP: "Remote",
    Cause.DEAUTHORIZED: "DeAuthorized", Cause.DEFECT: "Other", Cause.EMERGENCY: "EmergencyStop",
    Cause.SOFT_RESET: "SoftReset", Cause.HARD_RESET: "HardReset",
    Cause.POWER_LOSS: "PowerLoss", Cause.UNLOCK: "UnlockCommand",
}  # fmt: skip


class Ocpp16(ChargingStation):
    """A charge point of OCPP 1.6 J."""

    SUBPROTOCOL = "ocpp1.6"
    REQUESTS = REQUESTS
    BROKEN_CODES: ClassVar = {
        Broken.FORM: "FormationViolation",
        Broken.TYPE: "TypeConstraintViolation",
        Broken.OCCURRENCE: "OccurenceConstraintViolation",  # the standard's own spelling
        Broken.PROPERTY: "PropertyConstraintViolation",
    }
    FIRMWARE_WORDS: ClassVar = {
        Stage.IDLE: "Idle", Stage.DOWNLOADING: "Downloading", Stage.DOWNLOADED: "Downloaded",
        Stage.DOWNLOAD_FAILED: "DownloadFailed", Stage.SIGNATURE_BAD: "InstallationFailed",
        Stage.INSTALLING: "Installing", Stage.INSTALLED: "Installed",
        Stage.INSTALLATION_FAILED: "InstallationFailed",
    }  # fmt: skip

    def __init__(self, make: Make) -> None:
        super().__init__(make, made_settings(make.outlets))
        self.central_ids: dict[int, int] = {}
        """The central system's ids of transactions that it may still hear of, by our numbers."""
        self.metering = Metering(self)
        self._redial_s = make.redial_s

    # -- registration ----------------------------------------------------------------------

    def boot_payload(self) -> JsonObject:
        """§4.2."""
        return {
            "chargePointVendor": self.plate.vendor,
            "chargePointModel": self.plate.model,
            "chargePointSerialNumber": self.plate.serial,
            "firmwareVersion": self.firmware_version,
        }

    def back_off(self) -> BackOff:
        """1.6 names none: those of 2.0.1's profile, with a short beginning."""
        return BackOff(self._redial_s, random_s=self._redial_s // 2, repeats=5)

    def heartbeat_s(self) -> int:
        """The key of that name."""
        return self.settings.whole("HeartbeatInterval")

    def unregistered(self, call: Call) -> CallError | None:
        """§4.2: while rejected the charge point answers nothing."""
        del call
        return None

    def unreadable(self, bad: BadMessage) -> CallError | None:
        """A message that has an id is answered, one without cannot be."""
        if not bad.message_id or bad.is_answer:
            return None
        return CallError(bad.message_id, "FormationViolation", bad.reason)

    def accepted(self, interval_s: int, now_ms: int) -> None:
        """The interval is the heartbeat's from now on; then all states are told."""
        if interval_s:
            self.settings.put("HeartbeatInterval", str(interval_s))
        self._tell_states(now_ms)
        self.arm_aligned(now_ms)

    def reconnected(self, now_ms: int) -> None:
        """§4.9: after an absence only what has changed is told."""
        self._tell_states(now_ms)

    def started(self, cause: str, now_ms: int) -> None:
        """As the base; what was not told yet is told once accepted."""
        self.metering.forget()
        super().started(cause, now_ms)

    def _tell_states(self, now_ms: int) -> None:
        self.tell_station(now_ms)
        for outlet in self.outlets.values():
            if outlet.reported != self.status_word(outlet):
                self.tell_state(outlet, now_ms)

    def tell_station(self, now_ms: int) -> None:
        """The status of connector 0, which is the charge point."""
        word = "Available" if self.is_operative else "Unavailable"
        self.ask("StatusNotification", {
            "connectorId": 0, "errorCode": NO_ERROR, "status": word,
            "timestamp": self.clock.text(now_ms),
        })  # fmt: skip

    def tell_state(self, outlet: Outlet, now_ms: int) -> None:
        """The status of a connector."""
        word, defect = self.status_word(outlet), outlet.defect
        payload: JsonObject = {
            "connectorId": outlet.number, "errorCode": NO_ERROR, "status": word,
            "timestamp": self.clock.text(now_ms),
        }  # fmt: skip
        if defect:
            payload["errorCode"] = defect if defect in DEFECTS else "OtherError"
            payload["info"] = defect[:50]

        def told(reply: Reply, _: int) -> None:
            outlet.reported = word if not reply.code else ""

        self.ask("StatusNotification", payload, told)

    def status_word(self, outlet: Outlet) -> str:
        """The state in 1.6's words."""
        return outlet.state.value

    def state_passed(self, outlet: Outlet, now_ms: int) -> None:
        """§4.9: each step is told while there is a connection."""
        if self.is_registered:
            self.tell_state(outlet, now_ms)

    def reservation_over(self, outlet: Outlet, reservation: Reservation, now_ms: int) -> None:
        """§5.13: the connector becomes available, which its status tells."""

    # -- what the central system sets off --------------------------------------------------

    def setting_changed(self, key: str, now_ms: int) -> None:
        """Take a new setting at once where an alarm depends on it."""
        if key == "HeartbeatInterval":
            self.rearm_heartbeat(now_ms)
        elif key == "ClockAlignedDataInterval":
            self.arm_aligned(now_ms)

    def trigger(self, message: str, number: int | None, now_ms: int) -> JsonObject:
        """§5.17: what is asked for goes out after the answer."""
        outlets = [self.outlets[number]] if number else list(self.outlets.values())
        match message:
            case "BootNotification":
                self.register(now_ms)
            case "Heartbeat":
                self.beat(now_ms)
            case "FirmwareStatusNotification":
                word = self.FIRMWARE_WORDS.get(self.firmware.stage, "Idle")
                self.ask("FirmwareStatusNotification", self.firmware_payload(word))
            case "DiagnosticsStatusNotification":
                is_under_way = self.upload.stage is UploadStage.UPLOADING
                status = "Uploading" if is_under_way else "Idle"
                self.ask("DiagnosticsStatusNotification", {"status": status})
            case "StatusNotification":
                if not number:
                    self.tell_station(now_ms)
                for outlet in outlets if number != 0 else []:
                    self.tell_state(outlet, now_ms)
            case "MeterValues":
                for outlet in outlets:
                    self._tell_meter(outlet, now_ms)
            case _:
                return {"status": "NotImplemented"}
        return {"status": "Accepted"}

    def _tell_meter(self, outlet: Outlet, now_ms: int) -> None:
        payload = self.metering.triggered(outlet, now_ms)
        transaction = outlet.transaction
        if transaction and transaction.number in self.central_ids:
            payload["transactionId"] = self.central_ids[transaction.number]
        self.ask("MeterValues", payload)

    def tell_of_upload(self) -> bool:
        """§4.4."""
        return self.ask("DiagnosticsStatusNotification", {"status": self._upload_word()})

    def _upload_word(self) -> str:
        words = {
            UploadStage.UPLOADING: "Uploading", UploadStage.UPLOADED: "Uploaded",
            UploadStage.FAILED: "UploadFailed",
        }  # fmt: skip
        return words.get(self.upload.stage, "Idle")

    # -- tokens ----------------------------------------------------------------------------

    def token_rules(self) -> TokenRules:
        """§3.4 and §3.5."""
        flag = self.settings.flag
        return TokenRules(
            use_list=flag("LocalAuthListEnabled"),
            use_cache=flag("AuthorizationCacheEnabled"),
            is_known_enough=flag("LocalPreAuthorize"),
            is_known_enough_offline=flag("LocalAuthorizeOffline"),
            is_unknown_enough_offline=flag("AllowOfflineTxForUnknownId"),
        )

    def authorize_payload(self, token: Token) -> JsonObject:
        """§4.1."""
        return {"idTag": token.text}

    def standing_in(self, payload: JsonObject) -> Standing | None:
        """``idTagInfo`` (§7.27)."""
        return standing_of(payload.get("idTagInfo"))

    def cable_wait_s(self) -> int:
        """§9.1.5."""
        return self.settings.whole("ConnectionTimeOut")

    # -- transactions ----------------------------------------------------------------------

    def consider(self, outlet: Outlet, cause: Cause, now_ms: int) -> None:
        """Begin where token and cable are there; end where the cable went."""
        transaction = outlet.transaction
        if transaction is not None:
            is_end = self.settings.flag("StopTransactionOnEVSideDisconnect")
            if cause is Cause.UNPLUGGED and is_end:
                self.stop(outlet, cause, now_ms)
        elif self.is_on and outlet.grant and outlet.is_plugged and outlet.is_usable:
            self._begin(outlet, now_ms)

    def _begin(self, outlet: Outlet, now_ms: int) -> None:
        grant, outlet.grant = outlet.grant, None
        assert grant is not None
        self.timers.clear(f"cable:{outlet.number}")
        self.transactions += 1
        start_wh = outlet.meter.read(now_ms)
        transaction = Transaction(
            self.transactions, "", outlet.number, grant.token, grant.group, start_wh, now_ms,
            is_granted=True,
        )  # fmt: skip
        payload: JsonObject = {
            "connectorId": outlet.number, "idTag": grant.token.text, "meterStart": start_wh,
            "timestamp": self.clock.text(now_ms),
        }  # fmt: skip
        if outlet.reservation is not None:
            payload["reservationId"] = outlet.reservation.number
            self.cancel_reservation(outlet.reservation.number)
        outlet.transaction = transaction
        self.limits.bind(grant, transaction)
        self.outbox.put(Letter("StartTransaction", payload, transaction.number, Part.BEGIN))
        self._arm_sample(outlet, now_ms)

    def stop(self, outlet: Outlet, cause: Cause, now_ms: int, token: Token | None = None) -> None:
        """§4.10. The reason ``Local`` needs not be said; it is, for the reader's sake."""
        transaction, outlet.transaction = outlet.transaction, None
        assert transaction is not None
        outlet.is_finished = outlet.is_plugged
        payload: JsonObject = {
            "meterStop": outlet.meter.read(now_ms),
            "timestamp": self.clock.text(now_ms),
            "reason": STOP_REASONS.get(cause, "Other"),
        }
        if token is not None:
            payload["idTag"] = token.text
        if course := self.metering.take_course(outlet):
            payload["transactionData"] = course
        self.timers.clear(f"sample:{outlet.number}")
        self.outbox.put(Letter("StopTransaction", payload, transaction.number, Part.END))

    def running(self, central_id: int) -> Outlet | None:
        """The outlet of a transaction of the central system's id."""
        for outlet in self.outlets.values():
            transaction = outlet.transaction
            if transaction and self.central_ids.get(transaction.number) == central_id:
                return outlet
        return None

    # -- transaction messages --------------------------------------------------------------

    def retry_rule(self) -> tuple[int, int]:
        """§9.1.23 and §9.1.24."""
        whole = self.settings.whole
        return whole("TransactionMessageAttempts"), whole("TransactionMessageRetryInterval")

    def addressed(self, letter: Letter) -> JsonObject:
        """With the id of the transaction as the central system gave it."""
        if letter.part is Part.BEGIN:
            return letter.payload
        return {**letter.payload, "transactionId": self.central_ids.get(letter.transaction, -1)}

    def letter_taken(self, letter: Letter, payload: JsonObject, now_ms: int) -> None:
        """Learn the id and the token's standing; forget the id after the end."""
        if letter.part is Part.END:
            self.central_ids.pop(letter.transaction, None)
        if letter.part is not Part.BEGIN:
            return
        central_id = payload.get("transactionId")
        if isinstance(central_id, int) and abs(central_id) < 2**63:
            self._forget_ended()
            self.central_ids[letter.transaction] = central_id
        found = self.standing_in(payload)
        outlet = self.outlets[letter.payload["connectorId"]]
        if found is None:
            return
        if self.token_rules().use_cache:
            self.book.remember(Token(letter.payload["idTag"]), found)
        transaction = outlet.transaction
        if transaction and transaction.number == letter.transaction:
            transaction.group = found.group or transaction.group
            if found.status != ACCEPTED:
                self._withdraw(outlet, transaction, found, now_ms)

    def _forget_ended(self) -> None:
        """Where the end was dropped, its id is left over."""
        running = {one.transaction.number for one in self.outlets.values() if one.transaction}
        owed = {letter.transaction for letter in self.outbox.letters}
        kept = running | owed
        self.central_ids = {ours: id_ for ours, id_ in self.central_ids.items() if ours in kept}

    def _withdraw(
        self, outlet: Outlet, transaction: Transaction, found: Standing, now_ms: int
    ) -> None:
        """§4.8: a transaction begun in good faith whose token is refused."""
        self.card_shown = found.status
        if self.settings.flag("StopTransactionOnInvalidId"):
            self.stop(outlet, Cause.DEAUTHORIZED, now_ms)
        else:
            transaction.is_held = True

    def sample(self, outlet: Outlet, now_ms: int) -> None:
        """§4.7: a reading each ``MeterValueSampleInterval`` of a transaction."""
        self.metering.sample(outlet, now_ms)
        self._arm_sample(outlet, now_ms)

    def limit_changed(self, outlet: Outlet, now_ms: int) -> None:
        """1.6 tells of limits by the state and the meter values only."""

    def rang(self, name: str, now_ms: int) -> None:
        """Readings at the clock's full intervals; the rest is the base's."""
        if name != "aligned":
            super().rang(name, now_ms)
            return
        for outlet in self.outlets.values():
            self.metering.align(outlet, now_ms)
        self.arm_aligned(now_ms)

    def _arm_sample(self, outlet: Outlet, now_ms: int) -> None:
        interval_s = self.settings.whole("MeterValueSampleInterval")
        if interval_s:
            self.timers.set(f"sample:{outlet.number}", now_ms + interval_s * 1000)

    def arm_aligned(self, now_ms: int) -> None:
        """The next full interval of the day, counted from midnight (§9.1.4)."""
        interval_s = self.settings.whole("ClockAlignedDataInterval")
        self.timers.clear("aligned")
        if interval_s:
            self.timers.set("aligned", now_ms + self.clock.to_full_interval_ms(interval_s, now_ms))
