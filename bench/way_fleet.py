"""More terminals than there is time to enrol one by one: each takes tenths of a second, nearly
all of it to seal its keys at rest.

These are taken into the registry by the backend's own command and certified by its own CA; the hub
hears of them as of any other, and what they say to it is what an enrolled terminal says.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backend import state
from backend.clock import SystemClock
from backend.config import load
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.devices.model import DeviceKind
from backend.devices.service import EnrolDevice, NewKey
from backend.identity.ca import Holder
from protocol.crypto.keys import SigningKey, generate
from protocol.identity import Identity
from tests.kit.tls_ends import tls_files


def found_terminals(
    config: Path, directory: Path, names: Sequence[str], like: Identity
) -> list[Identity]:
    """Terminals of the store of one that is enrolled, with keys of its suite. The backend may run:
    it tells the hub within seconds."""
    settings = load(config)
    ca = state.read(settings).ca
    keys = {name: generate(like.public.suite.name) for name in names}
    engine = open_engine(settings.url)
    writer = GroupCommitWriter(open_store(engine), clock=SystemClock())
    try:
        outcomes = writer.apply([_enrolment(name, like.store, key) for name, key in keys.items()])
        assert all(outcome.error is None for outcome in outcomes)
    finally:
        writer.close()
        engine.dispose()
    return [
        Identity(
            replace(like.facts, name=name),
            key,
            tls_files(directory, ca, Holder("terminal", name)),
        )
        for name, key in keys.items()
    ]


def _enrolment(name: str, store: str, key: SigningKey) -> EnrolDevice:
    public = key.public
    return EnrolDevice(
        tid=name,
        kind=DeviceKind.TERMINAL,
        store=store,
        key=NewKey(suite=public.suite.name, public_key=public.public, kid=public.kid),
        actor="bench",
        is_active=True,
    )
