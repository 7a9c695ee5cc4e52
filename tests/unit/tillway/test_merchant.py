"""What ``tillway merchant new`` refuses before it has made anything."""

from pathlib import Path
from typing import Any

import pytest

from protocol.errors import CallerError
from tillway.merchant import new


@pytest.mark.parametrize("words", [{"name": "Coffee"}, {"payout_account": "6222000000000001"}])
def test_a_new_merchant_has_a_name_and_an_account(tmp_path: Path, words: Any) -> None:
    out = tmp_path / "keys"
    with pytest.raises(CallerError, match="go together"):
        new("https://localhost:1", tmp_path / "ca", tmp_path / "token", out, "coffee", **words)
    assert not out.exists()
