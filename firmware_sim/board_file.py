"""The board file: which devices a board carries and how each is reached.

The form is checked here, at the edge; a wrong file is refused with file, line and the field that
is wrong. What a device may say is its kind's matter (``kinds/``).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from firmware_sim.kinds.kind import DeviceEntry, Kind
from firmware_sim.kinds.registry import kind_named
from firmware_sim.limits import BOARD_DEVICES_MAX
from firmware_sim.nearest import nearest
from firmware_sim.transports.spec import check_spec
from firmware_sim.wrongs import Wrongs
from firmware_sim.yaml_file import YamlFile, read_yaml
from protocol.errors import CallerError

BUILT_IN = Path(__file__).parent / "boards"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


class _BoardForm(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 0
    devices: Annotated[dict[Name, JsonValue], Field(max_length=BOARD_DEVICES_MAX)] = {}


@dataclass(frozen=True, slots=True)
class BoardDevice:
    """One device of a board: its kind and what the file says of it."""

    kind: Kind
    entry: DeviceEntry


@dataclass(frozen=True, slots=True)
class BoardFile:
    """One board. Device names are chosen by the file; the POS board says scanner, printer…"""

    name: str
    devices: dict[str, BoardDevice]
    seed: int = 0


def load_board(name_or_path: str) -> BoardFile:
    """A built-in board by name, or a file; raises ``CallerError("config_invalid")``."""
    if not is_board(name_or_path):
        why, why_zh = no_board(name_or_path)
        raise CallerError("config_invalid", why, detail_zh=why_zh)
    return board_of(read_yaml(_path_of(name_or_path)))


def is_board(name_or_path: str) -> bool:
    """Whether there is such a board, built in or as a file; not whether the file is right."""
    return _path_of(name_or_path).is_file()


def built_in() -> list[str]:
    """The names of the boards that are built in."""
    return sorted(found.stem for found in BUILT_IN.glob("*.yaml"))


def no_board(name_or_path: str) -> tuple[str, str]:
    """What to say of a board that there is not, in English and in Chinese: the nearest that is
    built in, or all."""
    names = built_in()
    near = nearest(name_or_path, names)
    hint = f"did you mean {near!r}?" if near else f"built in: {', '.join(names)}"
    hint_zh = f"是不是 {near!r}？" if near else f"内置：{'、'.join(names)}"
    return f"no board {name_or_path!r}; {hint}", f"没有电路板 {name_or_path!r}；{hint_zh}"


def _path_of(name_or_path: str) -> Path:
    built_in = BUILT_IN / f"{name_or_path}.yaml"
    is_built_in = name_or_path.isidentifier() and built_in.exists()
    return built_in if is_built_in else Path(name_or_path)


def board_of(file: YamlFile) -> BoardFile:
    """The board that a YAML file describes."""
    form = file.validated(_BoardForm, file.value)
    devices: dict[str, BoardDevice] = {}
    wrongs = Wrongs()
    for name, value in form.devices.items():
        with wrongs.gathered():
            devices[name] = _device(file, ("devices", name), value)
    wrongs.end()
    return BoardFile(form.name, devices, form.seed)


def board_with(kind_name: str, *, transport: str = "pty", device: str = "device") -> BoardFile:
    """A board that carries one device of a kind, as it leaves the factory."""
    kind = kind_named(kind_name)
    entry = kind.entry.model_validate({"kind": kind.name, "transport": transport})
    return BoardFile(kind.name, {device: BoardDevice(kind, entry)})


def _device(file: YamlFile, place: tuple[str, ...], value: JsonValue) -> BoardDevice:
    named = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(named, str):
        raise file.refusal(
            place,
            "a device says its kind, such as 'kind: gm65'",
            "器件须写明种类，例如 'kind: gm65'",
        )
    try:
        kind = kind_named(named)
    except CallerError as error:
        raise file.refusal((*place, "kind"), error.detail, error.detail_zh) from error
    entry = file.validated(kind.entry, value, place)
    try:
        check_spec(entry.transport)
    except CallerError as error:
        raise file.refusal((*place, "transport"), error.detail, error.detail_zh) from error
    return BoardDevice(kind, entry)
