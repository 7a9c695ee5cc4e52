"""The rules that judge now, kept up with the database while payments go on.

Rule 1: what judges is one frozen value, swapped whole: no payment sees half of a change.
Rule 2: a set that cannot be built changes nothing: the rules before it go on, and it is told. A
        start without the live set that two persons wanted fails: other rules would be a guess.
Rule 3: until a set is live, the rules that ship judge, of which the configuration names those that
        decide.
"""

from collections.abc import Callable, Collection
from functools import partial

import structlog

from backend.db.ports import RunRead
from backend.pause import Pause
from backend.risk.rules.compiled import CompiledRules, RuleSetError
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.in_use import RulesInUse
from backend.risk.rules.limits import DESK_POLL_S
from backend.risk.rules.repository import Roles, RuleRepository
from backend.risk.rules.rule_file import shipped_set
from protocol.clock import Clock
from protocol.errors import OperatingError

_log = structlog.get_logger()


class RuleDesk:
    """Owns the rules in use. One per process. ``load`` comes before ``current``."""

    def __init__(
        self,
        *,
        run_read: RunRead,
        repository: RuleRepository,
        clock: Clock,
        shipped_live: Collection[str],
        use: Callable[[RulesInUse], None],
    ) -> None:
        self._run_read = run_read
        self._repository = repository
        self._clock = clock
        self._shipped_live = frozenset(shipped_live)
        self._use = use
        self._current: RulesInUse | None = None
        self._roles: Roles | None = None
        self._built: dict[str, CompiledRules] = {}
        self._pause = Pause()

    @property
    def current(self) -> RulesInUse:
        """What judges now."""
        assert self._current is not None, "load comes first"
        return self._current

    def wake(self) -> None:
        """Look at once. Call it on the loop."""
        self._pause.wake()

    async def run(self) -> None:
        """Keep up until cancelled."""
        while True:
            await self._pause.sleep(DESK_POLL_S)
            try:
                await self.load()
            except OperatingError as error:
                _log.warning("rules_not_read", code=error.code)
            except RuleSetError as error:
                _log.error("rules_not_loaded", reason=str(error))

    async def load(self) -> None:
        """Take what the database says. Raises ``RuleSetError`` and changes nothing where a set
        cannot be built."""
        now_ms = self._clock.now_ms()
        roles: Roles = await self._run_read(partial(self._repository.roles, now_ms=now_ms))
        if roles == self._roles:
            return
        built = await self._run_read(partial(self._build, roles))
        self._built = built
        self._roles = roles
        self._current = RulesInUse(
            live=built[roles.live],
            candidate=built[roles.candidate] if roles.candidate else None,
            share_bps=roles.share_bps,
            suppressed_until_ms=dict(roles.suppressed_until_ms),
            live_only=None if roles.live else self._shipped_live,
        )
        self._use(self._current)
        _log.info(
            "rules_loaded", live=self.current.live.version, candidate=roles.candidate,
            share_bps=roles.share_bps, suppressed=len(roles.suppressed_until_ms),
        )  # fmt: skip

    def _build(self, roles: Roles) -> dict[str, CompiledRules]:
        wanted = {roles.live} | ({roles.candidate} if roles.candidate else set())
        return {set_id: self._built.get(set_id) or self._one(set_id) for set_id in wanted}

    def _one(self, set_id: str) -> CompiledRules:
        return self._repository.compiled(set_id) if set_id else shipped_set(FIELDS)
