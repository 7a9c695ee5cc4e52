"""Running seeds."""

import tempfile
from pathlib import Path

from tests.simulation.reading import render
from tests.simulation.shop import Outcome, Shop
from tests.support.migrated import migrated_sqlite

MINUTES = 25
MINUTES_A_DAY = 24 * 60
NOTES_SHOWN = 120


class SeedFailed(AssertionError):  # noqa: N818  # what it says
    """A seed that broke something, with its last events."""


def run_seed(
    seed: int,
    template: Path,
    *,
    suite: str = "ES256",
    minutes: int = MINUTES,
    notes_shown: int = NOTES_SHOWN,
) -> Outcome:
    """One shop, from its opening to its judgement. Raises ``SeedFailed``."""
    with tempfile.TemporaryDirectory(prefix="tillway-simulation-") as directory:
        days = -(-minutes // MINUTES_A_DAY)
        shop = Shop(seed, Path(directory), template, suite=suite, days=days)
        try:
            return shop.run(minutes)
        except Exception as error:
            events = render(shop.trace.notes[-notes_shown:] if notes_shown else ())
            raise SeedFailed(
                f"TILLWAY_SEED={seed} suite={suite} minutes={minutes}\n"
                f"{type(error).__name__}: {error}\n"
                f"The last {notes_shown} events:\n{events}\n"
                f"TILLWAY_SEED={seed}: {type(error).__name__}: {error}\n{shop.worst}"
            ) from error
        finally:
            shop.close()


def template_in(directory: Path) -> Path:
    """The empty, migrated database that every run begins with: no migration is simulated."""
    path = directory / "template.db"
    migrated_sqlite(path)
    return path
