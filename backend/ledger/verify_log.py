"""The log over the groups once more: its nodes, the follower's place and every checkpoint."""

from collections import defaultdict
from collections.abc import Collection

from backend.db.tables import Row
from backend.ledger.checkpoints import Checkpoint, open_checkpoint
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.derived_tables import CHECKPOINT, FOLLOWER, LOG_NODE
from backend.ledger.fingerprint import Fingerprint
from backend.ledger.leaves import Shape
from backend.ledger.log import NODE_LEVELS
from backend.ledger.report import Report
from protocol.crypto.hashes import sm3
from protocol.crypto.keys import VerifyKey
from protocol.errors import CallerError
from protocol.merkle import Frontier, leaf_hash
from protocol.signed_note import NoteKey

_NODE_SHAPE, _FOLLOWER_SHAPE, _CHECKPOINT_SHAPE = (
    Shape(LOG_NODE),
    Shape(FOLLOWER),
    Shape(CHECKPOINT),
)


class Logs:
    """Takes the groups' hashes in order, chain by chain; then compares."""

    def __init__(
        self,
        report: Report,
        derived: DerivedRepository,
        fingerprint: Fingerprint,
        trusted: Collection[VerifyKey],
    ) -> None:
        self._report = report
        self._derived = derived
        self._fingerprint = fingerprint
        self._trusted = trusted
        self._frontier = Frontier(sm3)
        self._chain = ""
        self._as_of_ms = 0
        self._followers = self._read_followers()
        self._reached: dict[str, int] = {}
        self._nodes: dict[tuple[str, int], int] = defaultdict(int)
        self._checkpoints = self._read_checkpoints()

    def is_followed(self, chain: str, seq: int) -> bool:
        """Whether the follower says that it has done this group."""
        at = self._followers.get(chain)
        return at is not None and seq <= at["seq"]

    def take(self, chain: str, seq: int, group_hash: bytes, at_ms: int) -> int:
        """Add a group; as of when it is."""
        if chain != self._chain:
            self._chain, self._as_of_ms, self._frontier = chain, 0, Frontier(sm3)
        self._as_of_ms = max(self._as_of_ms, at_ms)
        made = self._frontier.append(leaf_hash(group_hash, sm3))
        if self.is_followed(chain, seq):
            for level, position, node in made:
                if level and level % NODE_LEVELS == 0:
                    values = (chain, level, position, node)
                    self._nodes[chain, level] += self._fingerprint.of(values)
        at = self._followers.get(chain)
        if at is not None and at["seq"] == seq:
            self._reached[chain] = self._as_of_ms
        found = self._checkpoints.pop((chain, seq), None)
        if found is not None and found.root != self._frontier.root:
            self._report.add("checkpoint", f"{chain}/{seq}", "its root is not that of the groups")
        return self._as_of_ms

    def compare(self) -> None:
        """What is stored against what was made. Call after the last ``take``."""
        for chain, at in self._followers.items():
            if at["as_of_ms"] != (self._reached.get(chain) if at["seq"] else 0):
                self._report.add("follower", chain, "is not at a group of its chain")
        for chain, size in self._checkpoints:
            self._report.add("checkpoint", f"{chain}/{size}", "is of groups that do not exist")
        for row in self._derived.all_nodes():
            if self._fits("node", row, _NODE_SHAPE):
                values = tuple(row.values())
                self._nodes[row["chain"], row["level"]] -= self._fingerprint.of(values)
        for (chain, level), difference in self._nodes.items():
            if difference:
                where = f"{chain} level {level}"
                self._report.add("node", where, "the log's nodes are not those of the groups")

    def _read_followers(self) -> dict[str, Row]:
        return {
            chain: row
            for chain, row in self._derived.followers().items()
            if self._fits("follower", row, _FOLLOWER_SHAPE)
        }

    def _read_checkpoints(self) -> dict[tuple[str, int], Checkpoint]:
        """What the checkpoints say, where their signatures hold and each names the one before."""
        found: dict[tuple[str, int], Checkpoint] = {}
        last: dict[str, int] = {}
        for row in self._derived.all_checkpoints():
            self._report.checkpoints += 1
            if not self._fits("checkpoint", row, _CHECKPOINT_SHAPE):
                continue
            chain, size = row["chain"], row["size"]
            checkpoint = self._open(row)
            if checkpoint is not None:
                found[chain, size] = checkpoint
                if checkpoint.previous_size != last.get(chain, 0):
                    where = f"{chain}/{size}"
                    self._report.add("checkpoint", where, "the checkpoint before it is missing")
            last[chain] = size
        for chain in last.keys() | self._followers.keys():
            at = self._followers.get(chain)
            if at is None or at["checkpoint_size"] != last.get(chain, 0):
                self._report.add("checkpoint", chain, "the last one is not the follower's last")
        return found

    def _open(self, row: Row) -> Checkpoint | None:
        where = f"{row['chain']}/{row['size']}"
        try:
            key = NoteKey.from_text(row["key"])
            found = open_checkpoint(row["note"], key)
        except CallerError as error:
            self._report.add("checkpoint", where, f"is not signed: {error}")
            return None
        if found.size != row["size"] or not found.origin.endswith(f"/ledger/{row['chain']}"):
            self._report.add("checkpoint", where, "is another one's")
            return None
        if self._trusted and key.key not in self._trusted:
            self._report.add("checkpoint", where, "is signed by a key that is not ours")
        return found

    def _fits(self, kind: str, row: Row, shape: Shape) -> bool:
        misfit = shape.misfit(tuple(row.values()))
        if misfit is not None:
            self._report.add(kind, f"{row['chain']}", f"its {misfit} is of another type")
        return misfit is None
