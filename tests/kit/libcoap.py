"""libcoap's client with OSCORE: a second reading of RFC 8613 by other people."""

import shutil
import subprocess
import sys
from pathlib import Path

_UNPACKED = Path(sys.prefix) / "debian13" / "root"
"""Of a newer Debian (``deploy/setup/debian13.sh``), with its own C library."""
_NAME = "coap-client-openssl"


def oscore_client() -> list[str] | None:
    """How it is called; None where there is none."""
    for loader in _UNPACKED.glob("usr/lib/*-linux-gnu*/ld-linux-*.so.*"):
        client = _UNPACKED / "usr" / "bin" / _NAME
        return [str(loader), "--library-path", str(loader.parent), str(client)]
    installed = shutil.which(_NAME)
    if installed is None:
        return None
    usage = subprocess.run([installed], capture_output=True, text=True, check=False)
    return [installed] if "Have OSCORE" in usage.stdout + usage.stderr else None
