"""Transactions of OCPP 2.0.1 and what is told of them (part 2, E; ``TransactionEvent``).

Rule 1: a transaction begins when a condition of ``TxStartPoint`` comes true and ends when one of
``TxStopPoint`` that was true is no longer (E01, E06); what ends it outright (a reset, a power cut,
a defect, the emergency stop) does not ask. Rule 2: its events are numbered from 0 without a gap,
also while there is no connection (E04), and each tells the charging state. Rule 3: one thing that
happened is one event; a change of the charging state has its own only where none else tells it.
"""

from typing import Protocol

from firmware_sim.devices.ocpp.charging import Cause
from firmware_sim.devices.ocpp.draws import Draws
from firmware_sim.devices.ocpp.outbox import Letter, Outbox, Part
from firmware_sim.devices.ocpp.outlet import Outlet, Transaction
from firmware_sim.devices.ocpp.power_limits import PowerLimits
from firmware_sim.devices.ocpp.settings import Settings
from firmware_sim.devices.ocpp.timers import Timers
from firmware_sim.devices.ocpp.tokens import Token
from firmware_sim.devices.ocpp.v201.readings import meter_value
from firmware_sim.devices.ocpp.v201.standing import token_payload
from firmware_sim.devices.ocpp.wall_clock import WallClock
from protocol.framing.ocppj import JsonObject

TRIGGERS = {
    Cause.PLUGGED: "CablePluggedIn", Cause.UNPLUGGED: "EVCommunicationLost",
    Cause.GRANTED: "Authorized", Cause.REMOTE_START: "RemoteStart",
    Cause.CAR: "ChargingStateChanged", Cause.CARD: "StopAuthorized",
    Cause.REMOTE_STOP: "RemoteStop", Cause.DEAUTHORIZED: "Deauthorized",
    Cause.DEFECT: "AbnormalCondition", Cause.EMERGENCY: "AbnormalCondition",
    Cause.SOFT_RESET: "ResetCommand", Cause.HARD_RESET: "ResetCommand",
    Cause.POWER_LOSS: "AbnormalCondition", Cause.UNLOCK: "UnlockCommand",
    Cause.NO_CABLE: "EVConnectTimeout",
}  # fmt: skip
REASONS = {
    Cause.UNPLUGGED: "EVDisconnected", Cause.CARD: "Local", Cause.REMOTE_STOP: "Remote",
    Cause.DEAUTHORIZED: "DeAuthorized", Cause.DEFECT: "Other", Cause.EMERGENCY: "EmergencyStop",
    Cause.SOFT_RESET: "Reboot", Cause.HARD_RESET: "ImmediateReset",
    Cause.POWER_LOSS: "PowerLoss", Cause.UNLOCK: "Other", Cause.NO_CABLE: "Timeout",
    Cause.CAR: "StoppedByEV",
}  # fmt: skip
OUTRIGHT = frozenset({
    Cause.DEFECT, Cause.EMERGENCY, Cause.SOFT_RESET, Cause.HARD_RESET, Cause.POWER_LOSS,
    Cause.UNLOCK,
})  # fmt: skip


class Host(Protocol):
    """What of the station the transactions need."""

    settings: Settings
    clock: WallClock
    outbox: Outbox
    draws: Draws
    timers: Timers
    transactions: int
    limits: PowerLimits

    @property
    def is_registered(self) -> bool:
        """Whether the central system hears us."""
        ...

    def cancel_reservation(self, number: int) -> bool:
        """Give a reserved outlet free."""
        ...


class Transactions:
    """The transactions of one charger."""

    def __init__(self, station: Host) -> None:
        self._station = station
        self._met: dict[int, frozenset[str]] = {}

    def forget(self) -> None:
        """The program begins anew: no condition is known to have been true."""
        self._met.clear()

    def consider(self, outlet: Outlet, cause: Cause, now_ms: int) -> None:
        """Begin, end or tell, by what the facts have become."""
        if outlet.transaction:
            self._take_grant(outlet)
        before, met = self._met.get(outlet.number, frozenset()), conditions(outlet)
        self._met[outlet.number] = met
        members = self._station.settings.members
        if outlet.transaction is None:
            is_due = bool((met - before) & set(members("TxCtrlr.TxStartPoint")))
            if is_due and outlet.is_usable:
                self._begin(outlet, cause, now_ms)
            return
        lost = before - met
        is_over = lost & set(members("TxCtrlr.TxStopPoint"))
        is_kept = cause is Cause.UNPLUGGED and not self._station.settings.flag(
            "TxCtrlr.StopTxOnEVSideDisconnect"
        )
        if is_over and not is_kept:
            self.end(outlet, cause, now_ms)
        elif cause is not Cause.CAR:
            self.tell(outlet, "Updated", TRIGGERS[cause], now_ms, with_token=_is_grant(cause))

    def withdraw(self, outlet: Outlet, cause: Cause, now_ms: int, token: Token | None) -> None:
        """The token charges no longer: the end, where ``TxStopPoint`` says so."""
        transaction = outlet.transaction
        assert transaction is not None
        transaction.is_granted, transaction.stop_token = False, token
        transaction.stopped_by = REASONS.get(cause, "Other")
        if cause in OUTRIGHT:
            self.end(outlet, cause, now_ms)
        else:
            self.consider(outlet, cause, now_ms)

    def end(self, outlet: Outlet, cause: Cause, now_ms: int) -> None:
        """The last event. A cable that is still in stays until it is pulled."""
        transaction = outlet.transaction
        assert transaction is not None
        reason = transaction.stopped_by or REASONS.get(cause, "Other")
        self.tell(outlet, "Ended", TRIGGERS[cause], now_ms, reason=reason)
        outlet.transaction, outlet.is_finished = None, outlet.is_plugged
        for alarm in ("sample", "cable"):
            self._station.timers.clear(f"{alarm}:{outlet.number}")
        self._met[outlet.number] = conditions(outlet)

    def tell_state(self, outlet: Outlet, now_ms: int) -> None:
        """A change of the charging state that no other event has told."""
        transaction = outlet.transaction
        if transaction and transaction.charging_state != charging_state(outlet):
            self.tell(outlet, "Updated", "ChargingStateChanged", now_ms)

    def tell(
        self,
        outlet: Outlet,
        event: str,
        trigger: str,
        now_ms: int,
        *,
        reason: str = "",
        with_token: bool = False,
        measurands: list[str] | None = None,
        context: str = "",
    ) -> None:
        """Put an event into the queue."""
        transaction = outlet.transaction
        assert transaction is not None
        state = charging_state(outlet)
        info: JsonObject = {"transactionId": transaction.key, "chargingState": state}
        transaction.charging_state = state
        if reason:
            info["stoppedReason"] = reason
        if transaction.remote_start_id is not None:
            info["remoteStartId"] = transaction.remote_start_id
        payload: JsonObject = {
            "eventType": event, "timestamp": self._station.clock.text(now_ms),
            "triggerReason": trigger, "seqNo": transaction.seq_no, "transactionInfo": info,
            "evse": {"id": outlet.number, "connectorId": 1},
        }  # fmt: skip
        transaction.seq_no += 1
        if not self._station.is_registered:
            payload["offline"] = True
        token = transaction.token if with_token else None
        if trigger == TRIGGERS[Cause.CARD]:
            token = transaction.stop_token
        if token is not None:
            payload["idToken"] = token_payload(token)
        if event == "Started" and transaction.reservation is not None:
            payload["reservationId"] = transaction.reservation
        values = measurands if measurands is not None else self._measurands(event)
        if values:
            context = context or {
                "Started": "Transaction.Begin", "Ended": "Transaction.End",
            }.get(event, "Other")  # fmt: skip
            timestamp = payload["timestamp"]
            payload["meterValue"] = [
                meter_value(outlet, values, context=context, timestamp=timestamp, now_ms=now_ms)
            ]
        part = {"Started": Part.BEGIN, "Ended": Part.END}.get(event, Part.BETWEEN)
        letter = Letter("TransactionEvent", payload, transaction.number, part)
        self._station.outbox.put(letter)

    def _measurands(self, event: str) -> list[str]:
        settings = self._station.settings
        is_on = settings.flag("SampledDataCtrlr.Enabled")
        if event == "Updated" or not is_on:
            return []
        return settings.members(f"SampledDataCtrlr.Tx{event}Measurands")

    def _begin(self, outlet: Outlet, cause: Cause, now_ms: int) -> None:
        station = self._station
        station.transactions += 1
        outlet.transaction = Transaction(
            station.transactions, station.draws.identifier(), outlet.number, None, "",
            outlet.meter.read(now_ms), now_ms, is_granted=False,
        )  # fmt: skip
        self._take_grant(outlet)
        if outlet.reservation is not None and outlet.transaction.token is not None:
            outlet.transaction.reservation = outlet.reservation.number
            station.cancel_reservation(outlet.reservation.number)
        self.tell(outlet, "Started", TRIGGERS[cause], now_ms, with_token=True)
        self.arm_sample(outlet, now_ms)

    def _take_grant(self, outlet: Outlet) -> None:
        """A granted token belongs to the transaction, once there is one."""
        transaction, grant = outlet.transaction, outlet.grant
        if transaction is None or grant is None or transaction.token is not None:
            return
        transaction.token, transaction.group = grant.token, grant.group
        transaction.remote_start_id, transaction.is_granted = grant.remote_start_id, True
        self._station.limits.bind(grant, transaction)
        outlet.grant = None

    def arm_sample(self, outlet: Outlet, now_ms: int) -> None:
        """The next periodic reading."""
        interval_s = self._station.settings.whole("SampledDataCtrlr.TxUpdatedInterval")
        if interval_s:
            self._station.timers.set(f"sample:{outlet.number}", now_ms + interval_s * 1000)


def conditions(outlet: Outlet) -> frozenset[str]:
    """The conditions of ``TxStartPoint`` and ``TxStopPoint`` that hold."""
    transaction = outlet.transaction
    is_authorized = transaction.is_granted if transaction else outlet.grant is not None
    is_closed = outlet.is_plugged and is_authorized and not outlet.defect
    is_flowing = is_closed and min(outlet.wanted_w, outlet.offered_w) > 0
    held = {
        "EVConnected": outlet.is_plugged, "Authorized": is_authorized,
        "PowerPathClosed": is_closed, "EnergyTransfer": is_flowing,
    }  # fmt: skip
    return frozenset(name for name, is_so in held.items() if is_so)


def charging_state(outlet: Outlet) -> str:
    """``ChargingStateEnumType`` of an outlet with a transaction."""
    transaction = outlet.transaction
    assert transaction is not None
    if not outlet.is_plugged:
        return "Idle"
    if transaction.token is None:
        return "EVConnected"
    if outlet.defect or not transaction.may_flow or not outlet.offered_w:
        return "SuspendedEVSE"
    return "Charging" if outlet.wanted_w else "SuspendedEV"


def _is_grant(cause: Cause) -> bool:
    return cause in {Cause.GRANTED, Cause.REMOTE_START}
