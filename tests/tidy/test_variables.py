"""A command's option that stands in the environment has the name that the program's setting has."""

import re
from pathlib import Path

from backend.config import Settings

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "TILLWAY_BACKEND_"
VARIABLE = re.compile(rf'envvar="{PREFIX}([A-Z_]+)"')


def test_an_options_variable_is_a_setting_of_the_backend() -> None:
    found = {
        (str(path.relative_to(ROOT)), name.lower())
        for room in ("backend", "tillway")
        for path in (ROOT / room).rglob("*.py")
        for name in VARIABLE.findall(path.read_text("utf-8"))
    }
    assert found
    assert not {(path, name) for path, name in found if name not in Settings.model_fields}
