"""People for a demonstration's till: two, each with a PIN that is made when they are hired and
left in a private file, because nothing here ships with a secret. Whoever plays them has that file:
the PIN counts as their own choice, and nobody is asked for another at the first sign-in.
"""

import json
import secrets
import subprocess
import sys
from pathlib import Path

from protocol.errors import CallerError, OperatingError
from tillway.private_files import write_files

STAFF_FILE = "till-staff.json"
_PEOPLE = (("王店长", "supervisor"), ("小李", "cashier"))
_PIN_DIGITS = 6
_HIRE_TIMEOUT_S = 60


def staff_of(directory: Path, till: str) -> dict[str, str]:
    """The PINs by name; hired when this directory is first asked."""
    kept = directory / STAFF_FILE
    if not kept.exists():
        pins = {name: _hire(directory / f"{till}.toml", name, role) for name, role in _PEOPLE}
        write_files(directory, {STAFF_FILE: json.dumps(pins, ensure_ascii=False).encode()})
    found: dict[str, str] = json.loads(kept.read_text("utf-8"))
    return found


def _hire(config: Path, name: str, role: str) -> str:
    from terminal.domain.pin import check_pin_form

    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(_PIN_DIGITS))
        try:
            check_pin_form(pin)
        except CallerError:
            continue
        break
    words = ["terminal", "staff", "--config", str(config), "--hire", name, "--own"]
    done = subprocess.run(
        [sys.executable, "-m", "tillway", *words, *(["--supervisor"] * (role == "supervisor"))],
        input=f"{pin}\n", capture_output=True, text=True, check=False, timeout=_HIRE_TIMEOUT_S,
    )  # fmt: skip
    if done.returncode:
        raise OperatingError("internal", f"tillway terminal staff: {done.stderr.strip()}")
    return pin
