"""What is derived from the groups, outside the payments' commits: balances after each group, the
nodes of the log over the groups, checkpoints, and how far the follower has come.

All but the checkpoints can be thrown away and made again (``tillway ledger follow --afresh``).
"""

from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, TEXT, BackendTable, table_ref


class LedgerBalance(BackendTable, table=True):
    """An account's four sums over one chain, after a group that moved it.

    ``as_of_ms`` is the latest time of this group and all before it in the chain, so that it never
    goes back where a clock did.
    """

    __tablename__ = "ledger_balance"
    account_id: str = Field(primary_key=True, sa_type=TEXT)
    chain: str = Field(primary_key=True, sa_type=TEXT)
    as_of_ms: int = Field(primary_key=True, sa_type=INTEGER)
    group_seq: int = Field(primary_key=True, sa_type=INTEGER)
    debits_posted: int = Field(sa_type=INTEGER)
    credits_posted: int = Field(sa_type=INTEGER)
    debits_pending: int = Field(sa_type=INTEGER)
    credits_pending: int = Field(sa_type=INTEGER)
    transfer_ids: str = Field(sa_type=TEXT)
    """The group's transfers of this account, in posting order, one a line."""


class LedgerLogNode(BackendTable, table=True):
    """A complete node of the RFC 6962 log over a chain's group hashes; every fourth level."""

    __tablename__ = "ledger_log_node"
    chain: str = Field(primary_key=True, sa_type=TEXT)
    level: int = Field(primary_key=True, sa_type=INTEGER)
    place: int = Field(primary_key=True, sa_type=INTEGER)
    hash: bytes = Field(sa_type=BYTES)


class LedgerFollower(BackendTable, table=True):
    """How far a chain has been followed, and the size of its last checkpoint."""

    __tablename__ = "ledger_follower"
    chain: str = Field(primary_key=True, sa_type=TEXT)
    seq: int = Field(sa_type=INTEGER)
    as_of_ms: int = Field(sa_type=INTEGER)
    checkpoint_size: int = Field(sa_type=INTEGER)


class LedgerCheckpoint(BackendTable, table=True):
    """A signed note over the first ``size`` groups of a chain, and the key that it is signed by."""

    __tablename__ = "ledger_checkpoint"
    chain: str = Field(primary_key=True, sa_type=TEXT)
    size: int = Field(primary_key=True, sa_type=INTEGER)
    note: str = Field(sa_type=TEXT)
    key: str = Field(sa_type=TEXT)


BALANCE = table_ref(LedgerBalance, lock=False)
LOG_NODE = table_ref(LedgerLogNode, lock=False)
FOLLOWER = table_ref(LedgerFollower)
CHECKPOINT = table_ref(LedgerCheckpoint, lock=False)
