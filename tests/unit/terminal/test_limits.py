"""A limit that is only named is a false claim."""

import re
from pathlib import Path

import pytest

from terminal import limits
from terminal.adapters import limits as adapter_limits

ROOM = Path(limits.__file__).parent


@pytest.mark.parametrize("module", [limits, adapter_limits], ids=["terminal", "adapters"])
def test_every_limit_is_read_outside_the_file_that_names_it(module: object) -> None:
    code = "\n".join(
        file.read_text(encoding="utf-8") for file in ROOM.rglob("*.py") if file.name != "limits.py"
    )
    names = [name for name in vars(module) if name.isupper()]
    assert names
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []
