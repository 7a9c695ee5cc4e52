"""The sandbox's configuration: one TOML file, overridden by ``TILLWAY_SANDBOX_…``."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class Settings(BaseSettings):
    """Where the sandbox keeps its books, where it listens, and whose signatures it accepts."""

    model_config = SettingsConfigDict(
        env_prefix="TILLWAY_SANDBOX_", frozen=True, extra="forbid", toml_file=None
    )

    state_dir: Path
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    institution_keys: tuple[str, ...] = ()
    """Public keys (as ``tillway backend init`` prints them) of who may instruct the bank."""
    reserve_account: str = "RESERVE-TILLWAY"
    own_account: str = "OWN-TILLWAY"

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
    """Read the configuration; pydantic's error names the key that is wrong."""

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    return FromFile()
