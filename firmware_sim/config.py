"""The simulator's settings: a TOML file, then ``TILLWAY_SIM_…`` in the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict

from protocol.config_file import ProgramSettings, read_settings
from protocol.errors import CallerError


class SimSettings(ProgramSettings):
    """One simulated board. The control API listens on the loopback only."""

    model_config = SettingsConfigDict(env_prefix="TILLWAY_SIM_", frozen=True, extra="forbid")

    board: str = "pos"
    state_dir: Path = Path("var/sim")
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    pace: bool = True
    record: Path | None = None
    scenarios: Path | None = None


def load_settings(file: Path | None, **options: object) -> SimSettings:
    """Settings of a file and the environment, then of the command line where not ``None``."""
    settings = read_settings(SimSettings, file)
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return SimSettings.model_validate({**settings.model_dump(), **given}) if given else settings
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CallerError("config_invalid", f"{where}: {first['msg']}") from error
