"""The charge point's half that charges: people at its outlets, tokens, states, meters.

Rule 1: what people do is a method here, whatever the version. Rule 2: a transaction needs a
granted token, a plugged cable and a sound, operative outlet; when it begins and ends by that, and
what is then said, is the version's. Rule 3: a token is judged by the central system where there
is a connection, else by list and cache (1.6 §3.4, 2.0.1 part 2 C01 to C12).
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from firmware_sim.devices.device import Output
from firmware_sim.devices.ocpp.connector_states import State, state_of, steps
from firmware_sim.devices.ocpp.firmware import FirmwareFile
from firmware_sim.devices.ocpp.outlet import Grant, Outlet, Reservation
from firmware_sim.devices.ocpp.power_limits import PowerLimits
from firmware_sim.devices.ocpp.rpc import Reply
from firmware_sim.devices.ocpp.settings import Settings
from firmware_sim.devices.ocpp.station import NamePlate, Station
from firmware_sim.devices.ocpp.tokens import ACCEPTED, Standing, Token, TokenBook
from firmware_sim.devices.ocpp.wall_clock import WallClock
from protocol.errors import CallerError
from protocol.framing.ocppj import JsonObject


class Cause(Enum):
    """Why something about a transaction changes."""

    PLUGGED = "plugged"
    UNPLUGGED = "unplugged"
    GRANTED = "granted"
    REMOTE_START = "remote_start"
    CAR = "car"
    CARD = "card"
    REMOTE_STOP = "remote_stop"
    DEAUTHORIZED = "deauthorized"
    DEFECT = "defect"
    EMERGENCY = "emergency"
    SOFT_RESET = "soft_reset"
    HARD_RESET = "hard_reset"
    POWER_LOSS = "power_loss"
    UNLOCK = "unlock"
    NO_CABLE = "no_cable"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class TokenRules:
    """How tokens are judged, by the settings of the version."""

    use_list: bool
    use_cache: bool
    is_known_enough: bool
    """A token known as accepted need not wait for the central system."""
    is_known_enough_offline: bool
    is_unknown_enough_offline: bool


@dataclass(frozen=True, slots=True)
class Make:
    """How a charger was made: what is on its plate and in its house."""

    plate: NamePlate
    clock: WallClock
    seed: bytes
    outlets: int = 1
    power_w_max: int = 22_000
    files: dict[str, FirmwareFile] = field(default_factory=dict)
    redial_s: int = 5
    upload_addresses: frozenset[str] = frozenset()


Verdict = Callable[[Standing, int], None]


class ChargingStation(Station):
    """A charge point with outlets, numbered from 1."""

    def __init__(self, make: Make, settings: Settings) -> None:
        super().__init__(
            make.plate,
            settings,
            make.clock,
            seed=make.seed,
            files=make.files,
            upload_addresses=make.upload_addresses,
        )
        numbers = range(1, make.outlets + 1)
        self.outlets = {number: Outlet(number, make.power_w_max) for number in numbers}
        self.book = TokenBook()
        self.limits = PowerLimits(self.outlets, make.clock)
        self.is_operative = True
        self.transactions = 0
        self.card_shown = ""
        """What the display says of the last token: its standing."""

    # -- what a version supplies -----------------------------------------------------------

    @abstractmethod
    def token_rules(self) -> TokenRules:
        """How tokens are judged."""

    @abstractmethod
    def authorize_payload(self, token: Token) -> JsonObject:
        """The question about a token."""

    @abstractmethod
    def standing_in(self, payload: JsonObject) -> Standing | None:
        """What an answer says of the token, where it says it."""

    @abstractmethod
    def cable_wait_s(self) -> int:
        """How long a granted token waits for its cable; 0 is for ever."""

    @abstractmethod
    def consider(self, outlet: Outlet, cause: Cause, now_ms: int) -> None:
        """Facts of an outlet changed: a transaction may begin, end or be told of."""

    @abstractmethod
    def stop(self, outlet: Outlet, cause: Cause, now_ms: int, token: Token | None = None) -> None:
        """End the outlet's transaction."""

    @abstractmethod
    def state_passed(self, outlet: Outlet, now_ms: int) -> None:
        """The outlet's state has taken a step."""

    @abstractmethod
    def limit_changed(self, outlet: Outlet, now_ms: int) -> None:
        """A transaction may draw another power from now on."""

    @abstractmethod
    def sample(self, outlet: Outlet, now_ms: int) -> None:
        """A meter reading of the transaction is due; arm the next."""

    @abstractmethod
    def reservation_over(self, outlet: Outlet, reservation: Reservation, now_ms: int) -> None:
        """A reservation has run out."""

    # -- people ----------------------------------------------------------------------------

    def plug(self, number: int, wanted_w: int, now_ms: int) -> list[Output]:
        """Put a car's cable in; the car would take ``wanted_w``."""
        outlet = self.outlet(number)
        outlet.plug(wanted_w)
        self.consider(outlet, Cause.PLUGGED, now_ms)
        return self.turn(now_ms)

    def unplug(self, number: int, now_ms: int) -> list[Output]:
        """Pull the cable out."""
        outlet = self.outlet(number)
        outlet.is_plugged, outlet.is_finished, outlet.wanted_w = False, False, 0
        self.consider(outlet, Cause.UNPLUGGED, now_ms)
        return self.turn(now_ms)

    def want(self, number: int, wanted_w: int, now_ms: int) -> list[Output]:
        """The car takes another power; 0 pauses."""
        outlet = self.outlet(number)
        outlet.wanted_w = wanted_w if outlet.is_plugged else 0
        self.consider(outlet, Cause.CAR, now_ms)
        return self.turn(now_ms)

    def break_down(self, number: int, defect: str, now_ms: int) -> list[Output]:
        """A defect of an outlet; an empty one repairs it."""
        outlet = self.outlet(number)
        outlet.defect = defect
        if defect and outlet.transaction and self.is_on:
            self.stop(outlet, Cause.DEFECT, now_ms)
        elif self.is_on:
            self.consider(outlet, Cause.CAR, now_ms)
        return self.turn(now_ms)

    def press_emergency_stop(self, now_ms: int) -> list[Output]:
        """End every transaction at once."""
        for outlet in self.outlets.values():
            if outlet.transaction and self.is_on:
                self.stop(outlet, Cause.EMERGENCY, now_ms)
        return self.turn(now_ms)

    def pull_network(self, now_ms: int, *, is_there: bool) -> list[Output]:
        """Pull the network's cable, or put it back."""
        self.set_network(now_ms, is_there=is_there)
        return self.turn(now_ms)

    def tap(self, text: str, number: int | None, now_ms: int) -> list[Output]:
        """Show a card, for an outlet or for the one that it must be meant for."""
        token = Token(text)
        outlet = self.outlet(number) if number else self._meant_outlet(token)
        if self.is_on and outlet is not None:
            self._show(token, outlet, now_ms)
        return self.turn(now_ms)

    def _meant_outlet(self, token: Token) -> Outlet | None:
        """Where the token charges, else where a cable waits, else where one may come."""
        ranks: tuple[Callable[[Outlet], bool], ...] = (
            lambda one: one.transaction is not None and _is_token(one.transaction.token, token),
            lambda one: one.grant is not None and _is_token(one.grant.token, token),
            lambda one: one.reservation is not None and one.reservation.admits(token, ""),
            lambda one: one.is_plugged and not self.is_refusing(one),
            lambda one: not self.is_refusing(one),
            lambda one: one.transaction is not None,
        )
        found = (one for fits in ranks for one in self.outlets.values() if fits(one))
        return next(found, None)

    def _show(self, token: Token, outlet: Outlet, now_ms: int) -> None:
        transaction, number = outlet.transaction, outlet.number
        if transaction is not None and _is_token(transaction.token, token):
            self.card_shown = ACCEPTED
            self.stop(outlet, Cause.CARD, now_ms, token)
        elif outlet.grant and _is_token(outlet.grant.token, token):
            self.card_shown = ""
            self.drop_grant(outlet, Cause.CARD, now_ms)
        elif transaction is not None and transaction.token is not None:
            self.judge(
                token, lambda found, at: self._stop_by_group(number, token, found, at), now_ms
            )
        elif self.is_refusing(outlet):
            self.card_shown = "Refused"
        else:
            self.judge(token, lambda found, at: self._start_by(number, token, found, at), now_ms)

    def _stop_by_group(self, number: int, token: Token, found: Standing, now_ms: int) -> None:
        outlet = self.outlets[number]
        transaction = outlet.transaction
        if found.status != ACCEPTED or transaction is None or not found.group:
            return
        if transaction.group.casefold() == found.group.casefold():
            self.stop(outlet, Cause.CARD, now_ms, token)

    def _start_by(self, number: int, token: Token, found: Standing, now_ms: int) -> None:
        outlet = self.outlets[number]
        if found.status != ACCEPTED:
            return
        if self.is_refusing(outlet) or not admits(outlet, token, found.group):
            self.card_shown = "Refused"
            return
        self.give_grant(outlet, Grant(token, found.group), Cause.GRANTED, now_ms)

    # -- tokens ----------------------------------------------------------------------------

    def judge(self, token: Token, then: Verdict, now_ms: int) -> None:
        """Find a token's standing and go on with it, perhaps once the answer is there."""
        rules = self.token_rules()
        known = self.book.find(token, use_list=rules.use_list, use_cache=rules.use_cache)
        status = known.status_at(self.clock.at(now_ms)) if known else ""
        if known and status == ACCEPTED and rules.is_known_enough:
            self._give_verdict(known, then, now_ms)
            return

        def answered(reply: Reply, at_ms: int) -> None:
            found = self.standing_in(reply.payload) if not reply.code else None
            if found is None:
                self._judge_alone(known, then, at_ms)
                return
            if rules.use_cache and not self.book.is_listed(token):
                self.book.remember(token, found)
            self._give_verdict(found, then, at_ms)

        is_asked = self.is_registered and self.ask(
            "Authorize", self.authorize_payload(token), answered
        )
        if not is_asked:
            self._judge_alone(known, then, now_ms)

    def _judge_alone(self, known: Standing | None, then: Verdict, now_ms: int) -> None:
        rules = self.token_rules()
        if known is not None and rules.is_known_enough_offline:
            found = Standing(known.status_at(self.clock.at(now_ms)), known.group)
        elif known is None and rules.is_unknown_enough_offline:
            found = Standing(ACCEPTED)
        else:
            found = Standing("Invalid")
        self._give_verdict(found, then, now_ms)

    def _give_verdict(self, found: Standing, then: Verdict, now_ms: int) -> None:
        self.card_shown = found.status
        then(found, now_ms)

    def is_refusing(self, outlet: Outlet) -> bool:
        """Whether the outlet takes no new token."""
        transaction = outlet.transaction
        is_taken = transaction is not None and transaction.token is not None
        is_sound = outlet.is_operative and self.is_operative and not outlet.defect
        return not is_sound or is_taken or outlet.grant is not None

    def give_grant(self, outlet: Outlet, grant: Grant, cause: Cause, now_ms: int) -> None:
        """Let a token charge here, now or when its cable comes."""
        outlet.grant, outlet.is_finished = grant, False
        wait_s = self.cable_wait_s()
        if wait_s and not outlet.is_plugged:
            self.timers.set(f"cable:{outlet.number}", now_ms + wait_s * 1000)
        self.consider(outlet, cause, now_ms)

    def drop_grant(self, outlet: Outlet, cause: Cause, now_ms: int) -> None:
        """The token waits no longer."""
        outlet.grant = None
        self.timers.clear(f"cable:{outlet.number}")
        self.consider(outlet, cause, now_ms)

    # -- states, meters, alarms ------------------------------------------------------------

    def outlet(self, number: int) -> Outlet:
        """An outlet by its number; raises ``CallerError("field_invalid")``."""
        if number not in self.outlets:
            last = len(self.outlets)
            zh = f"充电口是 1 到 {last}"
            raise CallerError("field_invalid", f"outlets are 1 to {last}", detail_zh=zh)
        return self.outlets[number]

    def is_idle(self) -> bool:
        """Whether no transaction runs."""
        return all(outlet.transaction is None for outlet in self.outlets.values())

    def settle(self, now_ms: int) -> None:
        """Bring each outlet's state and meter up to the facts."""
        for outlet in self.outlets.values():
            if outlet.is_to_become_inoperative and outlet.transaction is None:
                outlet.is_to_become_inoperative, outlet.is_operative = False, False
        self._limit_power(now_ms)
        for outlet in self.outlets.values():
            outlet.meter.flow(outlet.flowing_w(), now_ms)
            facts = outlet.facts(is_station_operative=self.is_operative)
            for state in steps(outlet.state, state_of(facts)):
                outlet.state = state
                self.state_passed(outlet, now_ms)

    def _limit_power(self, now_ms: int) -> None:
        changed, next_ms = self.limits.apply(now_ms)
        for outlet in changed:
            if outlet.transaction:
                self.limit_changed(outlet, now_ms)
        if next_ms is None:
            self.timers.clear("limit")
        else:
            self.timers.set("limit", next_ms)

    def rang(self, name: str, now_ms: int) -> None:
        """An alarm of an outlet, or of the half that talks."""
        word, _, number = name.partition(":")
        if not number:
            super().rang(name, now_ms)
            return
        outlet = self.outlets[int(number)]
        if word == "sample" and outlet.transaction:
            self.sample(outlet, now_ms)
        elif word == "cable" and outlet.grant:
            self.drop_grant(outlet, Cause.NO_CABLE, now_ms)
        elif word == "reserved" and outlet.reservation:
            reservation, outlet.reservation = outlet.reservation, None
            self.reservation_over(outlet, reservation, now_ms)

    def started(self, cause: str, now_ms: int) -> None:
        """The program begins: what a transaction was when power went is over."""
        ended_by = Cause.POWER_LOSS if cause == "PowerUp" else Cause.HARD_RESET
        for outlet in self.outlets.values():
            outlet.meter.lose_power(now_ms)
            outlet.grant, outlet.reported, outlet.is_finished = None, "", False
            outlet.state = State.AVAILABLE
            if outlet.transaction:
                self.stop(outlet, ended_by, now_ms)
            if outlet.reservation:
                self.timers.set(
                    f"reserved:{outlet.number}", max(now_ms, outlet.reservation.until_ms)
                )

    def reserve(self, reservation: Reservation, now_ms: int) -> None:
        """Keep an outlet for a token."""
        self.outlets[reservation.outlet].reservation = reservation
        self.timers.set(f"reserved:{reservation.outlet}", max(now_ms, reservation.until_ms))

    def why_not_reserved(self, outlet: Outlet, number: int) -> str:
        """What stands against a reservation, in the words of both versions, or nothing."""
        if outlet.defect:
            return "Faulted"
        if not (outlet.is_operative and self.is_operative):
            return "Unavailable"
        is_other = outlet.reservation is not None and outlet.reservation.number != number
        is_taken = outlet.transaction or outlet.grant or outlet.is_plugged or is_other
        return "Occupied" if is_taken else ""

    def cancel_reservation(self, number: int) -> bool:
        """Give a reserved outlet free; ``False`` where there is no such reservation."""
        for outlet in self.outlets.values():
            if outlet.reservation and outlet.reservation.number == number:
                outlet.reservation = None
                self.timers.clear(f"reserved:{outlet.number}")
                return True
        return False


def _is_token(held: Token | None, shown: Token) -> bool:
    return held is not None and held.key == shown.key


def admits(outlet: Outlet, token: Token, group: str) -> bool:
    """Whether a reservation, where there is one, lets a token charge."""
    return outlet.reservation is None or outlet.reservation.admits(token, group)
