"""A time stamper's files, made once per run: keys take a moment."""

import asyncio
import functools
import shutil
import tempfile
from pathlib import Path

import pytest

from backend.channels.timestamping import StampAuthority
from backend.sandbox.timestamps.stamper import POLICY, Stamper

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="Debian's openssl is not installed"
)


@functools.cache
def near_stamper() -> Stamper:
    """An opened stamper in a directory of its own."""
    stamper = Stamper(Path(tempfile.mkdtemp(prefix="tillway-stamper-")))
    asyncio.run(stamper.open())
    return stamper


def authority_of(stamper: Stamper) -> StampAuthority:
    """Whose stamps count."""
    return StampAuthority.from_pem(stamper.authority_file.read_bytes(), POLICY)
