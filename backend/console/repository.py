"""Reading the console's people outside commands. Only repositories see SQL."""

from sqlalchemy import and_, case, func, select

from backend.console.limits import (
    PEOPLE_SHOWN_MAX,
    SESSION_IDLE_MS,
    SESSION_LIFE_MS,
    SESSIONS_SHOWN_MAX,
)
from backend.console.tables import ConsoleSession, ConsoleUser
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchants.tables import Merchant
from backend.switches.model import SwitchKind
from backend.switches.tables import KillSwitch

_merchant = Merchant.__table__  # type: ignore[attr-defined]
_user = ConsoleUser.__table__  # type: ignore[attr-defined]
_switch = KillSwitch.__table__  # type: ignore[attr-defined]
_session = ConsoleSession.__table__  # type: ignore[attr-defined]
_SHOWN = (
    "name", "role", "rank", "merchant_id", "is_closed", "locked_until_ms", "setup_until_ms",
    "created_at_ms",
)  # fmt: skip


class PeopleRepository:
    """Committed people and sessions. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def people(self, merchant_id: str | None = None) -> list[Row]:
        """People by name, without what proves them: a merchant's, the operators (an empty name), or
        everybody (None). ``is_set_up`` is 0 for who was invited and has no password yet; each has
        when somebody last used a session of theirs."""
        last = select(func.max(_session.c.seen_at_ms)).where(_session.c.name == _user.c.name)
        query = select(
            *(_user.c[name] for name in _SHOWN),
            case((func.length(_user.c.password_hash) > 0, 1), else_=0).label("is_set_up"),
            last.scalar_subquery().label("seen_at_ms"),
        ).order_by(_user.c.merchant_id, _user.c.name)
        if merchant_id is not None:
            query = query.where(_user.c.merchant_id == merchant_id)
        return self._reader.rows(query.limit(PEOPLE_SHOWN_MAX))

    def person(self, name: str) -> Row | None:
        """One person, with what proves them."""
        return self._reader.one(select(_user).where(_user.c.name == name))

    def sessions(self, name: str, *, now_ms: int) -> list[Row]:
        """A person's sessions that are good, the last used first."""
        query = (
            select(_session)
            .join(_user, _user.c.name == _session.c.name)
            .where(
                _session.c.name == name,
                _session.c.is_ended == 0,
                _session.c.epoch == _user.c.epoch,
                _session.c.seen_at_ms >= now_ms - SESSION_IDLE_MS,
                _session.c.began_at_ms >= now_ms - SESSION_LIFE_MS,
            )
            .order_by(_session.c.seen_at_ms.desc(), _session.c.token_hash)
        )
        return self._reader.rows(query.limit(SESSIONS_SHOWN_MAX))

    def session(self, token_hash: bytes) -> Row | None:
        """A session that was not ended, with its person, who was not closed; what the person's
        merchant is called, and whether it is stopped."""
        query = (
            select(
                _session.c.began_at_ms, _session.c.seen_at_ms,
                _user.c.name, _user.c.role, _user.c.rank, _user.c.merchant_id,
                _merchant.c.name.label("merchant_name"),
                _switch.c.category.label("stop_category"),
                _switch.c.changed_at_ms.label("stopped_at_ms"),
            )
            .join(_user, _user.c.name == _session.c.name)
            .outerjoin(_merchant, _merchant.c.merchant_id == _user.c.merchant_id)
            .outerjoin(
                _switch,
                and_(
                    _switch.c.kind == SwitchKind.MERCHANT.value,
                    _switch.c.subject == _user.c.merchant_id,
                    _switch.c.is_stopped == 1,
                ),
            )
            .where(
                _session.c.token_hash == token_hash,
                _session.c.is_ended == 0,
                _session.c.epoch == _user.c.epoch,
                _user.c.is_closed == 0,
            )
        )  # fmt: skip
        return self._reader.one(query)
