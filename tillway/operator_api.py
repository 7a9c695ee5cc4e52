"""The operator's calls to the backend, by the names that ``tillway enroll`` uses."""

from typing import Any
from urllib.parse import quote

from protocol.errors import OperatingError
from tillway.json_api import JsonApi

CODES_PATH = "/operator/v1/enrolment-codes"
DEVICES_PATH = "/operator/v1/devices"


def new_code(api: JsonApi, grant: dict[str, Any]) -> str:
    """A one-time code for a machine: ``{tid, kind, store, names, hub_urls, valid_s}``."""
    code = api.post(CODES_PATH, grant).get("code")
    if not isinstance(code, str):
        raise OperatingError("internal", "no code in the answer")
    return code


def change_device(api: JsonApi, tid: str, command: str, reason: str) -> dict[str, Any]:
    """``activate``, ``suspend``, ``resume`` or ``revoke`` a device; its row afterwards."""
    changed: dict[str, Any] = api.post(
        f"{DEVICES_PATH}/{quote(tid, safe='')}/{command}", {"reason": reason}
    )
    return changed
