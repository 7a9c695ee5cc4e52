"""The benchmarks' own checks, at a small scale: a figure of what goes wrong is none."""

from pathlib import Path

from bench.load import overload


def test_an_engine_that_gets_more_than_it_holds_pays_each_once_and_says_busy(
    tmp_path: Path,
) -> None:
    _, busy_share, _ = overload(tmp_path, scale=0.02)
    assert 0 < busy_share.value < 1
