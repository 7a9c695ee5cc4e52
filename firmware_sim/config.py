"""The simulator's settings: a TOML file, then ``TILLWAY_SIM_…`` in the environment."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from protocol.errors import CallerError


class SimSettings(BaseSettings):
    """One simulated board. The control API listens on the loopback only."""

    model_config = SettingsConfigDict(env_prefix="TILLWAY_SIM_", frozen=True, extra="forbid")

    board: str = "pos"
    state_dir: Path = Path("var/sim")
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    pace: bool = True
    record: Path | None = None
    scenarios: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment is above the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def load_settings(file: Path | None, **options: object) -> SimSettings:
    """Settings of a file and the environment, then of the command line where not ``None``."""
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
        settings = SimSettings(**rows)
        given = {name: value for name, value in options.items() if value is not None}
        return SimSettings.model_validate({**settings.model_dump(), **given}) if given else settings
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallerError("config_invalid", f"{file}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CallerError("config_invalid", f"{where}: {first['msg']}") from error
