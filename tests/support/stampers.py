"""A time stamper's files, made once per run: keys take a moment."""

import asyncio
import functools
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
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
    with ThreadPoolExecutor(1) as thread:  # whoever asks may be inside a loop
        thread.submit(lambda: asyncio.run(stamper.open())).result()
    return stamper


def authority_of(stamper: Stamper) -> StampAuthority:
    """Whose stamps count."""
    return StampAuthority.from_pem(stamper.authority_file.read_bytes(), POLICY)
