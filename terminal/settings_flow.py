"""Settings that the backend wants: checked, tried out, kept or taken back, and told.

Rule 1: settings are in force from the commit that stores them as *trying*, and kept only after
        ``SETTINGS_TRIAL_MS`` with them. A start that finds a trial takes it back.
Rule 2: a report is one request and never sent again: the next one says more.
"""

from protocol.errors import CallerError
from protocol.messages import SettingsWanted
from protocol.settings import SCHEMA_VERSION, check_settings
from terminal.desk import Desk, log
from terminal.domain.settings import SettingsState, Standing, applied, effective
from terminal.effects import TrySettings
from terminal.journal.settings_store import SettingsStore
from terminal.limits import SETTINGS_REPORT_GAP_MS, SETTINGS_TRIAL_MS

TRIAL, REPORT = "settings_trial", "settings_report"


class SettingsFlow:
    """The settings of one terminal. The desk's profile is always the one in force."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._own = desk.profile
        self._store = SettingsStore(desk.journal.database)
        self._subject = f"{desk.profile.tid}:settings"
        self._standing = self._store.standing()

    def recover(self) -> None:
        """At start: take back a trial that was cut short, and bring the kept ones into force."""
        if self._standing.state is SettingsState.TRYING:
            self._keep(self._standing.failed("setting_trial_cut"))
            return
        try:
            self._bring_into_force()
        except CallerError as error:
            # The machine's own file has changed since: it counts, and the backend is told.
            self._keep(Standing(
                wanted_version=self._standing.wanted_version,
                outcome="rolled_back", code=error.code, detail=error.detail,
            ))  # fmt: skip

    def wanted(self, wanted: SettingsWanted) -> None:
        """The backend's word; one that was looked at before changes nothing."""
        self._desk.timers.drop((REPORT, self._subject))
        if wanted.version <= self._standing.wanted_version:
            return
        try:
            values = check_settings(wanted.values)
            applied(self._own, values)
        except CallerError as error:
            self._keep(self._standing.refused(wanted.version, error))
        else:
            self._desk.timers.drop((TRIAL, self._subject))
            self._keep(self._standing.offered(wanted.version, values))
            self._desk.effects.append(TrySettings(wanted.version, self._desk.profile))
        self.report()

    def tried(self, version: int, code: str | None, detail: str) -> None:
        """What the terminal's parts say to a trial; None: all of them can work with it."""
        standing = self._standing
        if standing.state is not SettingsState.TRYING or standing.trial_version != version:
            return
        if code is None:
            self._desk.after((TRIAL, self._subject), SETTINGS_TRIAL_MS)
            return
        self._keep(standing.failed(code, detail))
        self.report()

    def on_timer(self, kind: str) -> None:
        """The trial's time is over, or a report was not answered."""
        if kind == TRIAL and self._standing.state is SettingsState.TRYING:
            self._keep(self._standing.confirmed())
        self.report()

    def report(self) -> None:
        """Say how things stand, if anybody can hear it."""
        courier, standing = self._desk.courier, self._standing
        if not courier.is_link_up:
            return
        courier.finish(self._subject)
        body = {
            "number": self._store.next_report(),
            "schema_version": SCHEMA_VERSION,
            "version": standing.in_force[0],
            "wanted_version": standing.wanted_version,
            "outcome": standing.outcome,
            "code": standing.code,
            "detail": standing.detail,
            "values": effective(self._desk.profile),
        }
        courier.post("device.settings", body, subject=self._subject)
        self._desk.after((REPORT, self._subject), SETTINGS_REPORT_GAP_MS)

    def _keep(self, standing: Standing) -> None:
        self._standing = standing
        self._store.save(standing)
        self._bring_into_force()
        log.info(
            "settings_" + standing.outcome,
            version=standing.wanted_version,
            in_force=standing.in_force[0],
            code=standing.code,
            detail=standing.detail,
        )

    def _bring_into_force(self) -> None:
        self._desk.profile = applied(self._own, self._standing.in_force[1])
