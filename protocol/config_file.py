"""How every program of ours is configured: one TOML file below the environment, and secrets in
files that nobody else may read.

Rule 1: what is wrong is named by its place, and its value never told.
Rule 2: no ``.env`` file and no directory of secrets is read.
"""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from protocol.errors import CallerError
from protocol.limits import SECRET_FILE_BYTES_MAX

Kind = TypeVar("Kind", bound="ProgramSettings")


class ProgramSettings(BaseSettings):
    """A program's settings. What stands in the environment wins over what they are made of."""

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


def read_settings(kind: type[Kind], file: Path | None) -> Kind:
    """Read a program's settings; ``CallerError("config_invalid")`` names what is wrong."""
    if file is not None and not file.is_file():
        raise CallerError("config_invalid", f"no such file: {file}")
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")) if file is not None else {}
        return kind(**rows)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CallerError("config_invalid", f"{field}: {first['msg']}") from None
    except (OSError, ValueError) as error:
        raise CallerError("config_invalid", f"{file}: {error}") from None


def read_secret(file: Path, what: str) -> bytes:
    """A private file's content; ``config_invalid`` if it is missing or other users may read it."""
    try:
        if file.stat().st_mode & 0o077:
            raise CallerError("config_invalid", f"{file} must not be readable by others")
        with file.open("rb") as opened:
            return opened.read(SECRET_FILE_BYTES_MAX).strip()
    except OSError as error:
        raise CallerError("config_invalid", f"{what}: {error.strerror}") from None
