"""The update interface's words (hawkBit's Direct Device Integration, v1). Pure: rows in, JSON out.

Rule 1: an action's number is the version of the wish, so a device that asks late or twice finds the
        same action, and feedback to an earlier one changes nothing.
Rule 2: feedback is read leniently: clients leave out the time, and send numbers for texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from backend.firmware.limits import (
    CONFIG_ATTRIBUTES_MAX,
    DETAIL_CHARS_MAX,
    FEEDBACK_DETAILS_MAX,
    POLL_S,
)
from backend.firmware.model import FirmwareState

Row = Mapping[str, Any]
_S = FirmwareState
_Text = Annotated[str, Field(max_length=4_096)]
_BY_EXECUTION = {
    "scheduled": _S.WAITING,
    "resumed": _S.INSTALLING,
    "proceeding": _S.INSTALLING,
    "download": _S.DOWNLOADING,
    "downloaded": _S.INSTALLING,
    "canceled": _S.REFUSED,
    "rejected": _S.REFUSED,
}
_BETWEEN = " · "
_ERROR = "ERROR"
"""How `swupdate` begins a line that tells what went wrong."""
_BY_RESULT = {"success": _S.CONFIRMED, "failure": _S.FAILED, "none": _S.INSTALLING}


class _Lenient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Progress(_Lenient):
    """How many steps of how many."""

    cnt: Annotated[int, Field(ge=0)] = 0
    of: Annotated[int, Field(ge=0)] = 0


class Result(_Lenient):
    """How it ended."""

    finished: str = "none"
    progress: Progress | None = None


class Status(_Lenient):
    """How far the device is."""

    execution: str
    result: Result = Result()
    details: Annotated[list[_Text], Field(max_length=FEEDBACK_DETAILS_MAX)] = []


class Feedback(_Lenient):
    """``POST …/feedback``."""

    status: Status

    @property
    def state(self) -> FirmwareState:
        """The same as a state of ours; a word we do not know is one on the way."""
        if self.status.execution == "closed":
            return _BY_RESULT.get(self.status.result.finished, _S.FAILED)
        return _BY_EXECUTION.get(self.status.execution, _S.INSTALLING)

    @property
    def percent(self) -> int:
        """How far, of a hundred."""
        progress = self.status.result.progress
        if progress is None or not progress.of:
            return 0
        return min(100 * progress.cnt // progress.of, 100)

    def detail_after(self, before: str) -> str:
        """The device's last words, or the errors that it names, without control characters; until
        it succeeds, after the errors that it named ``before``. Each stands once, the earliest
        first, for the cause is among them; what does not fit whole is left out."""
        said = ["".join(one if one.isprintable() else " " for one in text)
                for text in self.status.details]  # fmt: skip
        told = [] if self.state is _S.CONFIRMED else _errors_of(before.split(_BETWEEN))
        told += _errors_of(said) or said[-3:]
        words, *others = dict.fromkeys(told) or [""]
        for one in others:
            if len(words) + len(_BETWEEN) + len(one) <= DETAIL_CHARS_MAX:
                words += _BETWEEN + one
        return words[:DETAIL_CHARS_MAX]


def _errors_of(words: list[str]) -> list[str]:
    return [one for one in words if one.startswith(_ERROR)]


class ConfigData(_Lenient):
    """``PUT …/configData``: what the machine says of itself."""

    mode: str = "merge"
    data: Annotated[dict[_Text, _Text], Field(max_length=CONFIG_ATTRIBUTES_MAX)] = {}

    def onto(self, before: Mapping[str, str]) -> dict[str, str]:
        """The attributes afterwards."""
        if self.mode == "replace":
            return dict(self.data)
        if self.mode == "remove":
            return {name: value for name, value in before.items() if name not in self.data}
        merged = {**before, **self.data}
        return dict(list(merged.items())[-CONFIG_ATTRIBUTES_MAX:])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device's resources stand."""

    root: str
    """The backend's address, as the device has called it."""
    tenant: str
    """The device's store."""
    controller: str

    def link(self, *parts: str) -> dict[str, str]:
        """A link to one of them."""
        path = "/".join(quote(part, safe="") for part in parts)
        base = f"{self.root.rstrip('/')}/{self.tenant}/controller/v1/{self.controller}"
        return {"href": f"{base}/{path}"}


def poll_answer(place: Place, row: Row | None, artifact: Row | None) -> dict[str, Any]:
    """What a device that asks is told: when to ask again, and what there is to do."""
    links: dict[str, Any] = {}
    if row is None or row["attributes"] == "{}":
        links["configData"] = place.link("configData")
    if row is not None and is_open(row) and artifact is not None:
        links["deploymentBase"] = place.link("deploymentBase", str(row["wanted_version"]))
    if row is not None and is_cancelled(row):
        links["cancelAction"] = place.link("cancelAction", str(row["wanted_version"]))
    minutes, seconds = divmod(POLL_S, 60)
    sleep = f"00:{minutes:02d}:{seconds:02d}"
    return {"config": {"polling": {"sleep": sleep}}, "_links": links}


def deployment(place: Place, row: Row, artifact: Row) -> dict[str, Any]:
    """What is to be installed, and where it lies."""
    filename = f"{artifact['name']}.swu"
    download = place.link("artifacts", artifact["digest"], filename)
    file = {
        "filename": filename,
        "hashes": {
            "sha1": artifact["sha1"],
            "md5": artifact["md5"],
            "sha256": artifact["digest"],
        },
        "size": artifact["size"],
        "_links": {"download": download, "download-http": download},
    }
    chunk = {
        "part": "os",
        "version": artifact["version"],
        "name": artifact["name"],
        "artifacts": [file],
    }
    action = {"download": "forced", "update": "forced", "chunks": [chunk]}
    return {"id": str(row["wanted_version"]), "deployment": action}


def cancellation(row: Row) -> dict[str, Any]:
    """The cancellation of the action that this wish has replaced."""
    stopped = str(row["wanted_version"] - 1)
    return {"id": str(row["wanted_version"]), "cancelAction": {"stopId": stopped}}


def is_open(row: Row) -> bool:
    """Whether something is to be installed that has not ended."""
    ended = {_S.CONFIRMED, _S.REFUSED, _S.FAILED}
    return bool(row["digest"]) and row["state"] not in ended


def is_cancelled(row: Row) -> bool:
    """Whether a wish was taken back, and the device has not heard of it."""
    return not row["digest"] and row["wanted_version"] > 1 and row["state"] == _S.WAITING
