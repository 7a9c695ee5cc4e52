"""Databases with this program's schema: migrated once in a process, copied for every test."""

import tempfile
from functools import cache
from pathlib import Path

from backend.db.migrate import upgrade


def migrated_sqlite(path: Path) -> str:
    """Make this file a database as ``upgrade`` leaves it; returns its SQLAlchemy URL."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_migrated_bytes())
    return f"sqlite:///{path}"


def upgrade_known(url: str) -> None:
    """In place of ``upgrade``: a file that is not there yet becomes what it would make."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        migrated_sqlite(path)
    else:
        upgrade(url)


@cache
def _migrated_bytes() -> bytes:
    with tempfile.TemporaryDirectory(prefix="tillway-migrated-") as folder:
        file = Path(folder) / "backend.db"
        upgrade(f"sqlite:///{file}")
        return file.read_bytes()
