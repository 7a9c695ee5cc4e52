"""The sandbox's configuration: one TOML file, overridden by ``TILLWAY_SANDBOX_…``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from backend.channels.signed_http import read_key
from backend.sandbox.institution.program import Place
from backend.sandbox.registry import INSTITUTIONS
from protocol.config_file import ProgramSettings, read_settings
from protocol.errors import CallerError

_Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(ProgramSettings):
    """Where the institutions keep their state, where they listen, whose signatures they accept."""

    model_config = SettingsConfigDict(env_prefix="TILLWAY_SANDBOX_", frozen=True, extra="forbid")

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


def load(path: Path | None) -> Settings:
    """Read the configuration; ``CallerError("config_invalid")`` names the key that is wrong."""
    settings = read_settings(Settings, path)
    strangers = {*settings.ports, *settings.options} - {*INSTITUTIONS}
    if strangers:
        raise CallerError("config_invalid", f"no institution {', '.join(sorted(strangers))}")
    return settings
