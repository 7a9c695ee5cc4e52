"""A test waits as long as all others, so that no machine is too slow for one of them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN_WAIT = re.compile(r"asyncio\.timeout\(\d|^(DEADLINE|WITHIN)_S = \d", re.MULTILINE)
PRODUCTS_OWN = {"tests/unit/backend/test_http_channel.py"}
"""What it waits for must come before the product itself gives up."""


def test_no_test_has_a_patience_of_its_own() -> None:
    own = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if OWN_WAIT.search(path.read_text("utf-8"))
    }
    assert own == PRODUCTS_OWN
