"""Proving all shards together, while they go on.

Each shard's ledger is proved by itself (``backend.ledger.verify``). Beyond that: every account lies
where the map says; every crossing has its transfer on the payer's side, and on the payee's side, as
far as the lane has come, either the payment's transfers or a refusal, and then the money back;
every ``XSHARD`` account says exactly what its crossings say; and with nothing under way they sum to
zero.

The databases are not read at one moment, and need not be: a lane's cursor is read in the same
snapshot as the accounts that it explains, and crossings, which never change, are read afterwards.
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from backend.db.reading import Reader
from backend.ledger.limits import VERIFY_BREAKS_MAX
from backend.ledger.model import Transfer
from backend.ledger.repository import LedgerRepository
from backend.ledger.verify import Break, Report, verify
from backend.shards.model import Crossing, Place
from backend.shards.repository import ShardRepository
from backend.shards.rules import between, crossing_charged, crossing_credited, crossing_returned

_Account = tuple[int, str]  # shard, account id


@dataclass(slots=True)
class ShardsReport:
    """What holds and what does not, over all shards."""

    shards: list[Report] = field(default_factory=list)
    crossings: int = 0
    under_way_minor: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Per currency: charged, and neither credited nor refused yet."""
    breaks: list[Break] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether everything holds on every shard and between them."""
        return not self.breaks and all(report.is_whole for report in self.shards)

    def add(self, kind: str, where: str, why: str) -> None:
        """Note a break between shards."""
        if len(self.breaks) < VERIFY_BREAKS_MAX:
            self.breaks.append(Break(kind, where, why))


def verify_shards(readers: Sequence[Reader]) -> ShardsReport:
    """Read everything once. The readers stand in the order of the shards."""
    report = ShardsReport()
    with ExitStack() as stack:
        early = [stack.enter_context(reader.snapshot()) for reader in readers]
        ledgers = [LedgerRepository(connection) for connection in early]
        shards = [ShardRepository(connection) for connection in early]
        # A snapshot begins with its first read.
        places = [shard.place() for shard in shards]
        late = [ShardRepository(stack.enter_context(reader.snapshot())) for reader in readers]
        report.shards = [verify(ledger) for ledger in ledgers]
        known = _check_places(places, ledgers, report)
        if known is None:
            return report
        sums = _Sums(report)
        for sender, payee in [(place.number, peer) for place in known for peer in place.peers]:
            _Lane(sender, payee, report, sums).check(shards, late)
        sums.compare(ledgers)
    return report


def _check_places(
    places: Sequence[Place | None], ledgers: Sequence[LedgerRepository], report: ShardsReport
) -> list[Place] | None:
    """The places, if all databases are of one map and stand in its order."""
    found = [place for place in places if place is not None]
    first = found[0].map if found else None
    if [(one.map, one.number) for one in found] != [(first, n) for n in range(len(places))]:
        report.add("place", "shards", "not the databases of one founding, in its order")
        return None
    for place, ledger in zip(found, ledgers, strict=True):
        for row in ledger.accounts():
            home = place.map.shard_of_account(row["id"])
            if home not in (None, place.number):
                report.add("place", row["id"], f"is on shard {place.number}, lives on {home}")
    return found


class _Sums:
    """What crossings say the ``XSHARD`` accounts must be: debits and credits."""

    def __init__(self, report: ShardsReport) -> None:
        self._report = report
        self._wanted: dict[_Account, list[int]] = defaultdict(lambda: [0, 0])
        self.is_quiet = True

    def debit(self, shard: int, peer: int, crossing: Crossing) -> None:
        """The shard's account of a peer must be debited: for a payment that was credited here, or
        for a charge that was given back."""
        self._wanted[shard, between(peer, crossing.currency)][0] += crossing.amount_minor

    def credit(self, shard: int, peer: int, crossing: Crossing) -> None:
        """The shard's account of a peer must be credited: for a payment that was charged here."""
        self._wanted[shard, between(peer, crossing.currency)][1] += crossing.amount_minor

    def compare(self, ledgers: Sequence[LedgerRepository]) -> None:
        """Compare with the accounts, whose sum must be zero where nothing is under way."""
        totals: dict[str, int] = defaultdict(int)
        for shard, ledger in enumerate(ledgers):
            for row in ledger.accounts("C:XSHARD:"):
                wanted = self._wanted.pop((shard, row["id"]), [0, 0])
                stored = [row["debits_posted"], row["credits_posted"]]
                totals[row["currency"]] += stored[0] - stored[1]
                if stored != wanted:
                    why = f"says {stored}, its crossings {wanted}"
                    self._report.add("crossing", f"shard {shard} {row['id']}", why)
        for shard, account_id in self._wanted:
            self._report.add("crossing", f"shard {shard} {account_id}", "has no account")
        for currency, total in totals.items():
            if self.is_quiet and total:
                self._report.add("reserve", currency, f"nothing under way, XSHARD sums to {total}")


@dataclass(slots=True)
class _Lane:
    """The crossings from one shard to another."""

    sender: int
    payee: int
    report: ShardsReport
    sums: _Sums

    def check(self, early: Sequence[ShardRepository], late: Sequence[ShardRepository]) -> None:
        """Every crossing, on both sides, as far as each side's snapshot has come."""
        ours, theirs = early[self.sender].lane(self.payee), early[self.payee].lane(self.sender)
        sent = late[self.sender].lane(self.payee).sent_seq
        refused = {one.seq for one in late[self.payee].refusals(self.sender, 0)}
        ended = late[self.payee].lane(self.sender).received_seq
        if theirs.received_seq > sent or ours.settled_seq > ended:
            self._break("lane", "one side has come further than the other ever was")
        if not sent == theirs.received_seq == ours.settled_seq:
            self.sums.is_quiet = False
        seen = 0
        for page in late[self.sender].all_crossings(self.payee, sent):
            charged, credited, returned = [], [], []
            for crossing in page:
                seen += 1
                if crossing.seq != seen:
                    self._break(crossing.event_id, f"has number {crossing.seq} in place {seen}")
                if crossing.seq <= ours.sent_seq:
                    charged.append(crossing)
                if crossing.seq > theirs.received_seq:
                    self.report.under_way_minor[crossing.currency] += crossing.amount_minor
                elif crossing.seq not in refused:
                    credited.append(crossing)
                if crossing.seq in refused and crossing.seq <= ours.settled_seq:
                    returned.append(crossing)
            self._check_charged(early[self.sender], charged)
            self._check_credited(early[self.payee], credited)
            self._check_returned(early[self.sender], returned)
        self.report.crossings += seen
        if seen != sent:
            self._break("lane", f"{seen} crossings, the cursor says {sent}")

    def _check_charged(self, shard: ShardRepository, crossings: Sequence[Crossing]) -> None:
        wanted = [leg for one in crossings for leg in crossing_charged(one.order, self.payee)]
        self._compare(shard, wanted, "charged")
        for crossing in crossings:
            self.sums.credit(self.sender, self.payee, crossing)

    def _check_credited(self, shard: ShardRepository, crossings: Sequence[Crossing]) -> None:
        wanted = [leg for one in crossings for leg in crossing_credited(one, self.sender)]
        self._compare(shard, wanted, "credited")
        for crossing in crossings:
            self.sums.debit(self.payee, self.sender, crossing)

    def _check_returned(self, shard: ShardRepository, crossings: Sequence[Crossing]) -> None:
        wanted = [leg for one in crossings for leg in crossing_returned(one)]
        self._compare(shard, wanted, "returned")
        for crossing in crossings:
            self.sums.debit(self.sender, self.payee, crossing)

    def _compare(self, shard: ShardRepository, wanted: Sequence[Transfer], step: str) -> None:
        stored = shard.transfers([transfer.id for transfer in wanted])
        for transfer in wanted:
            if stored.get(transfer.id) != transfer:
                self._break(transfer.id, f"is not {step} as the crossing says")

    def _break(self, where: str, why: str) -> None:
        self.report.add("crossing", f"{self.sender}→{self.payee} {where}", why)
