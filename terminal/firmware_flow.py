"""Firmware that the backend wants on the controller board: fetched, installed, tried out, told.

Rule: whoever drives the agent does the work, and says each step; the journal knows how far it is,
so that a start goes on with it.
"""

from protocol.messages import FirmwareWanted
from terminal.desk import Desk, log
from terminal.domain.firmware import FirmwareStep, Wish
from terminal.effects import RenewBoard
from terminal.inputs import BoardStep
from terminal.journal.firmware_store import FirmwareStore
from terminal.limits import SETTINGS_REPORT_GAP_MS

FIRMWARE_REPORT = "firmware_report"


class FirmwareFlow:
    """The firmware of one terminal, or of its board."""

    def __init__(self, desk: Desk, own_version: str) -> None:
        """``own_version``: what a terminal runs that has no board; empty where there is one, which
        says itself what it runs."""
        self._desk = desk
        self._own_version = own_version
        self._store = FirmwareStore(desk.journal.database)
        self._subject = f"{desk.profile.tid}:firmware"
        self._wish = self._store.wish()

    def recover(self) -> None:
        """At start: go on with what was begun."""
        wish = self._wish
        if wish.is_taken_back:
            self._begin()
        elif wish.is_underway:
            self._keep(wish.wanted(wish.version, wish.digest, wish.size))
            self._begin()

    def wanted(self, wanted: FirmwareWanted) -> None:
        """The backend's word; one that was heard before changes nothing."""
        self._desk.timers.drop((FIRMWARE_REPORT, self._subject))
        if wanted.version <= self._wish.version:
            return
        self._keep(self._wish.wanted(wanted.version, wanted.digest, wanted.size))
        if self._wish.is_underway or self._wish.is_taken_back:
            self._begin()
        self.report()

    def stepped(self, said: BoardStep) -> None:
        """What became of the work; a word on an earlier wish changes nothing."""
        wish = self._wish
        if said.version != wish.version or not (wish.is_underway or wish.is_taken_back):
            return
        step = FirmwareStep(said.step)
        after = self._wish.stepped(step, code=said.code, detail=said.detail)
        if step is FirmwareStep.CONFIRM:
            after = after.running(said.running_version, said.running_hash)
        self._keep(after)
        log.info("firmware_" + self._wish.state, version=said.version, code=said.code)
        self.report()

    def report(self) -> None:
        """Say what runs, and how far the last wish is, if anybody can hear it."""
        courier, wish = self._desk.courier, self._wish
        if not courier.is_link_up:
            return
        courier.finish(self._subject)
        body = {
            "number": self._store.next_report(),
            "wanted_version": wish.version,
            "state": wish.state.value,
            "code": wish.code,
            "detail": wish.detail,
            "running_version": wish.running_version or self._own_version,
            "running_hash": wish.running_hash,
        }
        courier.post("device.firmware", body, subject=self._subject)
        self._desk.after((FIRMWARE_REPORT, self._subject), SETTINGS_REPORT_GAP_MS)

    def _keep(self, wish: Wish) -> None:
        self._wish = wish
        self._store.save(wish)

    def _begin(self) -> None:
        """Have the work done; an empty digest ends what is under way."""
        wish = self._wish
        self._desk.effects.append(RenewBoard(wish.version, wish.digest, wish.size))
