"""The time stamping, built by hand.

Beside ``bootstrap`` because a backend may run without a stamper: then nothing is stamped.
"""

from dataclasses import dataclass

from backend.channels.http_timestamper import HttpTimeStamper
from backend.channels.timestamping import StampAuthority
from backend.config import Settings
from backend.payments.services import Services
from backend.stamping.model import Subject
from backend.stamping.repository import StampRepository
from backend.stamping.service import Stamping
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True)
class Stamps:
    """The task, and what must be closed."""

    stamping: Stamping
    stamper: HttpTimeStamper


def build_stamps(settings: Settings, *, services: Services) -> Stamps | None:
    """The stamping towards the configured stamper; None where there is none."""
    found = settings.institutions.timestamps
    if found is None:
        return None
    try:
        pem = found.authority_file.read_bytes()
    except OSError as error:
        raise CallerError("config_invalid", f"timestamps.authority_file: {error}") from None
    stamper = HttpTimeStamper(
        url=found.find,
        authority=StampAuthority.from_pem(pem, found.policy),
        entropy=services.entropy,
    )
    repository = StampRepository(services.reader)

    async def unstamped() -> list[Subject]:
        found: list[Subject] = await services.run_read(repository.unstamped_checkpoints)
        return found

    stamping = Stamping(submit=services.submit, unstamped=unstamped, stamper=stamper)
    return Stamps(stamping, stamper)
