"""Steers running institutions over their control routes."""

import json
import re
import urllib.error
import urllib.request
from typing import Any

from backend.channels.address import Address
from backend.sandbox.institution.limits import CONTROL_ANSWER_BYTES_MAX, CONTROL_TIMEOUT_S
from protocol.errors import CallerError, OperatingError

_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def control(address: Address, path: str, body: object = None) -> dict[str, Any]:
    """Ask (or with a body tell) a running institution something."""
    request = urllib.request.Request(  # noqa: S310  # Address.url is http:// always
        address.url() + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=CONTROL_TIMEOUT_S) as answer:  # noqa: S310
            said: dict[str, Any] = json.loads(answer.read(CONTROL_ANSWER_BYTES_MAX))
            return said
    except urllib.error.HTTPError as error:
        said = _read(error)
        raise CallerError("field_invalid", str(said.get("detail", error.code))) from None
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        raise OperatingError("timeout", f"{address.name}: {type(error).__name__}") from None


def duration_ms(text: str) -> int:
    """``90s``, ``15m``, ``2h`` or ``1d``, and sums of them such as ``1d2h``, in milliseconds."""
    if not re.fullmatch(r"(\d{1,6}[smhd])+", text):
        raise CallerError("field_invalid", "a time such as 90s, 15m, 2h, 1d or 1d2h")
    return sum(int(n) * _UNITS_MS[unit] for n, unit in re.findall(r"(\d+)([smhd])", text))


def _read(error: urllib.error.HTTPError) -> dict[str, Any]:
    with error:
        try:
            said: dict[str, Any] = json.loads(error.read(CONTROL_ANSWER_BYTES_MAX))
        except ValueError:
            return {}
        return said
