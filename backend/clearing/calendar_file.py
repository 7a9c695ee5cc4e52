"""The operator's signed table of days off, for years that the libraries do not know (TOML).

    [2027]
    holidays = [2027-01-01, 2027-02-05]   # every day off of a holiday, weekends may stand there too
    workdays = [2027-02-20]               # Saturdays and Sundays on which people work

A file that is not exactly of this form is refused whole: half a calendar pays on the wrong day.
Beside it lies ``<file>.sig``, a signed note (``protocol.signed_note``) of the key that the operator
names:

    tillway calendar
    sha256 <of the file's bytes, in hex>
    years <first> <last>

Rule: no day is read from a file before its signature holds.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from backend.clearing.calendar import Calendar, YearTable
from backend.clearing.limits import CALENDAR_FILE_BYTES_MAX, CALENDAR_YEARS_MAX
from protocol.crypto.hashes import sha256
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError
from protocol.signed_note import NOTE_CHARS_MAX, NoteKey, open_note, sign_note

_HEAD = "tillway calendar"
_SATURDAY = 5
_LISTS = ("holidays", "workdays")


def load_calendar(path: Path | None, key: NoteKey | None = None) -> Calendar:
    """The libraries' years with the file's above them; ``config_invalid`` names what is wrong,
    ``signature_invalid`` a file that this key has not signed."""
    if path is None:
        return Calendar()
    if key is None:
        raise _refusal("calendar_key names the key that has signed it")
    content = _read(path, CALENDAR_FILE_BYTES_MAX)
    calendar = read_calendar(content)
    note = _read(signature_path(path), NOTE_CHARS_MAX)
    if open_note(note.decode(errors="replace"), key) != _statement(content, calendar):
        raise CallerError("signature_invalid", "calendar_file: the signature is another file's")
    return calendar


def sign_calendar(path: Path, name: str, key: SigningKey) -> str:
    """The note that belongs beside a file, once the file is found to be a good one."""
    content = _read(path, CALENDAR_FILE_BYTES_MAX)
    return sign_note(_statement(content, read_calendar(content)), name, key)


def signature_path(path: Path) -> Path:
    """Where a calendar's signature lies."""
    return path.with_name(f"{path.name}.sig")


def read_calendar(content: bytes) -> Calendar:
    """The libraries' years with a file's above them; ``config_invalid`` names what is wrong."""
    try:
        years = tomllib.loads(content.decode())
    except ValueError as error:
        raise _refusal(str(error)) from None
    if not 0 < len(years) <= CALENDAR_YEARS_MAX:
        raise _refusal(f"between 1 and {CALENDAR_YEARS_MAX} years")
    calendar = Calendar({_year(name): _table(name, table) for name, table in years.items()})
    for year in calendar.tables:
        _check_known(calendar, year - 1)
    return calendar


def _statement(content: bytes, calendar: Calendar) -> str:
    years = f"years {min(calendar.tables)} {max(calendar.tables)}"
    return f"{_HEAD}\nsha256 {sha256(content).hex()}\n{years}\n"


def _read(path: Path, bytes_max: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(bytes_max + 1)
    except OSError as error:
        raise _refusal(f"{path.name}: {error.strerror}") from None
    if len(content) > bytes_max:
        raise _refusal(f"{path.name}: more than {bytes_max} bytes")
    return content


def _check_known(calendar: Calendar, year: int) -> None:
    """A gap between the years would hide the money of its days."""
    try:
        calendar.is_business_day(date(year, 12, 31))
    except CallerError:
        raise _refusal(f"[{year}] is missing") from None


def _year(name: str) -> int:
    if not (name.isascii() and name.isdigit() and len(name) == 4):
        raise _refusal(f"[{name[:20]}] is not a year")
    return int(name)


def _table(name: str, content: object) -> YearTable:
    if not isinstance(content, dict) or set(content) != set(_LISTS):
        raise _refusal(f"[{name}] has exactly {' and '.join(_LISTS)}")
    holidays, workdays = (_days(name, key, content) for key in _LISTS)
    if holidays & workdays:
        raise _refusal(f"[{name}] has a day that is both off and worked")
    if any(day.weekday() < _SATURDAY for day in workdays):
        raise _refusal(f"[{name}] workdays: only weekends need to be named")
    if not any(day.weekday() < _SATURDAY for day in holidays):
        raise _refusal(f"[{name}] holidays: a year has some on weekdays")
    return YearTable(holidays, workdays)


def _days(name: str, key: str, content: Mapping[str, Any]) -> frozenset[date]:
    listed = content[key]
    if not isinstance(listed, list) or not all(_is_date(day) for day in listed):
        raise _refusal(f"[{name}] {key}: a list of dates as 2027-01-01")
    if any(day.year != int(name) for day in listed) or len(set(listed)) != len(listed):
        raise _refusal(f"[{name}] {key}: dates of {name}, each once")
    return frozenset(listed)


def _is_date(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _refusal(why: str) -> CallerError:
    return CallerError("config_invalid", f"calendar_file: {why}")
