"""The board file: which devices a board carries and how each is reached.

The form is checked here, at the edge; a wrong file is refused with the field that is wrong.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocol.errors import CallerError

BUILT_IN = Path(__file__).parent / "boards"
_Strict = ConfigDict(extra="forbid", frozen=True)
Transport = Annotated[str, Field(max_length=200)]


class ScannerEntry(BaseModel):
    """A GM65 code scanner."""

    model_config = _Strict
    kind: Literal["gm65"]
    transport: Transport = "pty"


class PrinterEntry(BaseModel):
    """An ESC/POS receipt printer with a drawer."""

    model_config = _Strict
    kind: Literal["escpos"]
    transport: Transport = "pty"
    profile: Literal["gb18030", "western"] = "gb18030"
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 115200
    width_mm: Literal[58, 80] = 80
    roll_mm: Annotated[int, Field(ge=0, le=300_000)] = 30_000
    realtime_inside_data: bool = False


class FingerprintEntry(BaseModel):
    """An EF01 fingerprint sensor; ``enrolled`` maps a finger's name to its slot."""

    model_config = _Strict
    kind: Literal["ef01"]
    transport: Transport = "pty"
    enrolled: dict[str, int] = {}
    password: Annotated[int, Field(ge=0, le=0xFFFFFFFF)] = 0


DeviceEntry = Annotated[ScannerEntry | PrinterEntry | FingerprintEntry, Field(discriminator="kind")]


class BoardFile(BaseModel):
    """One board. Device names are chosen by the file; the POS board says scanner, printer…"""

    model_config = _Strict
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    devices: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")], DeviceEntry] = {}


def load_board(name_or_path: str) -> BoardFile:
    """A built-in board by name, or a file; raises ``CallerError("config_invalid")``."""
    built_in = BUILT_IN / f"{name_or_path}.toml"
    path = built_in if name_or_path.isidentifier() and built_in.exists() else Path(name_or_path)
    if not path.is_file():
        names = ", ".join(sorted(found.stem for found in BUILT_IN.glob("*.toml")))
        raise CallerError("config_invalid", f"no board {name_or_path!r}; built in: {names}")
    try:
        return BoardFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallerError("config_invalid", f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CallerError("config_invalid", f"{path.name}: {where}: {first['msg']}") from error
