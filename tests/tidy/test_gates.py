"""The gates that keep the house: format, lint, types and imports, each as a test of the suite, so
that nothing lands past them.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "words",
    [
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        ("mypy",),
        ("lint-imports",),
    ],
    ids=lambda words: words[0] + words[1] if len(words) > 1 else words[0],
)
def test_the_gate_is_passed(words: tuple[str, ...]) -> None:
    checked = subprocess.run(
        [BIN / words[0], *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
