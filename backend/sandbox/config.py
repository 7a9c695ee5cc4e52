"""The sandbox's configuration: one TOML file, overridden by ``TILLWAY_SANDBOX_…``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from backend.channels.signed_http import read_key
from backend.sandbox.institution.program import Place
from backend.sandbox.registry import INSTITUTIONS
from protocol.errors import CallerError

_Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """Where the institutions keep their state, where they listen, whose signatures they accept."""

    model_config = SettingsConfigDict(
        env_prefix="TILLWAY_SANDBOX_", frozen=True, extra="forbid", toml_file=None
    )

    state_dir: Path = Path("var/sandbox")
    """Each institution has a directory of its own below it."""
    host: str = "127.0.0.1"
    ports: Mapping[str, Mapping[str, _Port]] = Field(default_factory=dict)
    """Institution → line → fixed port (``[ports.netsunion]``, ``http = 9001``). Others: free."""
    institution_keys: tuple[str, ...] = ()
    """Public keys (as ``tillway backend init`` prints them) of who may instruct them."""
    options: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """Institution → settings of its own."""

    def place(self, name: str) -> Place:
        """Where an institution is built."""
        return Place(
            name=name,
            state_dir=self.state_dir,
            host=self.host,
            ports=self.ports.get(name, {}),
            told=tuple(read_key(text) for text in self.institution_keys),
            options=self.options.get(name, {}),
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings, TomlConfigSettingsSource(settings_cls)


def load(path: Path | None) -> Settings:
    """Read the configuration; ``CallerError("config_invalid")`` names the key that is wrong."""
    if path is not None and not path.is_file():
        raise CallerError("config_invalid", f"no such file: {path}")

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        settings = FromFile()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CallerError("config_invalid", f"{field}: {first['msg']}") from None
    except ValueError as error:
        raise CallerError("config_invalid", f"{path}: {error}") from None
    strangers = {*settings.ports, *settings.options} - {*INSTITUTIONS}
    if strangers:
        raise CallerError("config_invalid", f"no institution {', '.join(sorted(strangers))}")
    return settings
