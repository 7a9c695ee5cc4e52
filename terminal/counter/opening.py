"""Builds the counter of one terminal: the real till's drawer and keypad, and the training till."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from protocol.clock import Entropy
from protocol.crypto.keys import generate
from protocol.trust import Trust
from terminal.adapters.memory_link import MemoryLink
from terminal.agent import Agent
from terminal.counter.cards import CardDesk
from terminal.counter.drafts import Drafts
from terminal.counter.people import People
from terminal.counter.practice import Practice, PracticePinPad
from terminal.counter.shifts import ShiftDesk, Slip
from terminal.counter.sign_in import SignIn
from terminal.counter.staffing import Staffing
from terminal.counter.station import Counter, Station
from terminal.domain.at_counter import cash_due, of_card
from terminal.inputs import PrintStored
from terminal.journal.store import Journal
from terminal.shell import Shell, ShellPorts
from terminal.timing import TerminalClock

TRAINING_SUITE = "Ed25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCounter:
    """The counter and what must be run and closed with it."""

    counter: Counter
    training_journal: Journal


def open_counter(
    *, shell: Shell, ports: ShellPorts, journal: Journal, clock: TerminalClock,
    entropy: Entropy, training_path: Path | None,
) -> OpenedCounter:  # fmt: skip
    """The caller runs ``counter.training.shell`` beside the real one."""
    real = _station(ports, journal=journal, shell=shell, entropy=entropy)
    practice = _training(ports, clock=clock, entropy=entropy, path=training_path)
    people = People(journal.database, clock)
    staffing = Staffing(people, entropy)
    counter = Counter(
        sign_in=SignIn(people, staffing, clock, lambda: ports.agent.profile.idle_lock_ms),
        staffing=staffing,
        real=real,
        training=practice[0],
    )
    return OpenedCounter(counter=counter, training_journal=practice[1])


def _training(
    ports: ShellPorts, *, clock: TerminalClock, entropy: Entropy, path: Path | None
) -> tuple[Station, Journal]:
    """A till with the same scanner, sensor and printer, and nothing else of the real one."""
    real = ports.agent.profile
    profile = replace(real, tid=f"T-{real.tid}", till=f"培训 T{real.till}")
    key = generate(TRAINING_SUITE)
    journal = Journal(path, tid=profile.tid, now_ms=clock.now_ms())
    agent = Agent(
        profile=profile,
        key=generate(TRAINING_SUITE),
        trust=Trust(tid=profile.tid, store=profile.store, backend=[key.public], hubs=[key.public]),
        journal=journal,
        clock=clock,
        entropy=entropy,
    )

    def render(facts: Mapping[str, Any]) -> bytes:
        return ports.render({**facts, "is_training": True})

    practising = replace(
        ports,
        agent=agent,
        link=MemoryLink(Practice(key, clock)),
        render=render,
        pinpad=PracticePinPad() if ports.pinpad is not None else None,
        dispenser=None,
        reader=None,
    )
    station = _station(
        practising, journal=journal, shell=Shell(practising), entropy=entropy, is_training=True
    )
    return station, journal


def _station(
    ports: ShellPorts, *, journal: Journal, shell: Shell, entropy: Entropy,
    is_training: bool = False,
) -> Station:  # fmt: skip
    agent, clock = ports.agent, ports.clock
    shifts = ShiftDesk(journal, lambda: agent.profile, clock)

    async def print_slip(slip: Slip) -> None:
        await shell.command(PrintStored(slip))

    cards = CardDesk(
        journal,
        lambda: agent.profile,
        clock,
        shifts=shifts,
        pinpad=ports.pinpad,
        print_slip=print_slip,
        show=lambda sale: shell.show_at_counter(of_card(sale)),
    )
    cards.recover()
    drafts = Drafts(journal, entropy)
    due = drafts.cash_due()
    if due is not None:
        shell.show_at_counter(cash_due(int(due.digits), agent.profile.currency))
    return Station(
        agent=ports.agent,
        shell=shell,
        shifts=shifts,
        cards=cards,
        drafts=drafts,
        is_training=is_training,
    )
