"""Proofs: that a transfer is in the ledger, and that the ledger of yesterday is in today's.

A transfer leads to its leaf (its linked chain), by the leaf's path to its group's root, by the
group's hash to a leaf of the log, by the log's path to the root that a checkpoint signs.
"""

from collections.abc import Sequence
from typing import Any

from backend.db.tables import Row
from backend.ledger.chain import group_hash, payload, tree
from backend.ledger.checkpoints import Checkpoint, checkpoint_of, open_checkpoint
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.leaves import CONTENT, is_sealable, linked
from backend.ledger.log import LogNodes
from backend.ledger.model import Transfer
from backend.ledger.projection import rows_named
from backend.ledger.repository import LedgerRepository
from backend.ledger.schemas import (
    ConsistencyProof,
    InclusionProof,
    Proof,
    SealedGroup,
    SealedTransfer,
)
from protocol.crypto.hashes import sm3
from protocol.errors import CallerError
from protocol.merkle import consistency_path, inclusion_path, is_consistent, root_from_proof
from protocol.signed_note import NoteKey

_COLUMNS = (*Transfer._fields, "at_ms")


def prove(ledger: LedgerRepository, derived: DerivedRepository, transfer_id: str) -> InclusionProof:
    """The proof that a transfer is in the newest checkpoint of its chain.

    ``CallerError``: ``transfer_unknown``, ``checkpoint_unknown`` if none covers it yet,
    ``log_inconsistent`` if the stored rows do not give the checkpoint: nothing false is handed out.
    """
    row = ledger.transfers_by_id([transfer_id]).get(transfer_id)
    if row is None:
        raise CallerError("transfer_unknown", transfer_id)
    chain, seq = row[len(_COLUMNS)], row[len(_COLUMNS) + 1]
    group, kept = derived.group(chain, seq), derived.last_checkpoint(chain)
    if kept is None or kept["size"] < seq:
        raise CallerError("checkpoint_unknown", f"{chain} at {seq}")
    if group is None:
        raise CallerError("log_inconsistent", f"group {chain}/{seq} is missing")
    proof = _inclusion(ledger, derived, transfer_id, group, kept)
    try:
        _check_inclusion(proof, checkpoint_of(kept))
    except CallerError as error:
        raise CallerError("log_inconsistent", error.detail) from None
    return proof


def _inclusion(
    ledger: LedgerRepository, derived: DerivedRepository, transfer_id: str, group: Row, kept: Row
) -> InclusionProof:
    ids = group["transfer_ids"].split("\n")
    found = rows_named(ledger, ids)
    chains = linked([found[one] for one in ids])
    index = next(
        (at for at, one in enumerate(chains) if transfer_id in {row[0] for row in one}), None
    )
    if index is None:
        raise CallerError("log_inconsistent", f"{transfer_id} is not in its group")
    leaves = tree([[row[: len(_COLUMNS)] for row in one] for one in chains])
    nodes = LogNodes(derived, group["chain"])
    return InclusionProof(
        transfer_id=transfer_id,
        transfers=[_sealed(row) for row in chains[index]],
        leaf_index=index,
        leaf_count=len(chains),
        leaf_path=_hex(leaves.proof(index)),
        group=SealedGroup(
            chain=group["chain"],
            seq=group["seq"],
            count=group["count"],
            at_ms=group["at_ms"],
            previous_hash=group["previous_hash"].hex(),
        ),
        log_path=_hex(inclusion_path(group["seq"] - 1, kept["size"], nodes, sm3)),
        checkpoint=kept["note"],
    )


def prove_consistency(derived: DerivedRepository, old: Row | str, new: Row) -> ConsistencyProof:
    """The proof from one checkpoint to a later one of the same chain. ``old`` may be a note that
    somebody has kept, and need not be among ours."""
    old_note = old if isinstance(old, str) else old["note"]
    key = NoteKey.from_text(new["key"])
    before, after = open_checkpoint(old_note, key), checkpoint_of(new)
    if before.size > after.size:
        raise CallerError("field_invalid", "the old checkpoint is the newer one")
    path = consistency_path(before.size, after.size, LogNodes(derived, new["chain"]), sm3)
    proof = ConsistencyProof(old=old_note, new=new["note"], path=_hex(path))
    if not _holds(proof, before, after):
        raise CallerError("log_inconsistent", f"{before.size} and {after.size}")
    return proof


def check(proof: Proof, key: NoteKey) -> Checkpoint:
    """The checkpoint that the proof leads to, with nothing but a public key.

    ``signature_invalid`` or ``proof_invalid`` if anything in it does not hold.
    """
    if isinstance(proof, InclusionProof):
        found = open_checkpoint(proof.checkpoint, key)
        _check_inclusion(proof, found)
        return found
    before, after = open_checkpoint(proof.old, key), open_checkpoint(proof.new, key)
    if not _holds(proof, before, after):
        raise CallerError("proof_invalid", "the old groups are not the first of the new")
    return after


def _holds(proof: ConsistencyProof, before: Checkpoint, after: Checkpoint) -> bool:
    path = [bytes.fromhex(node) for node in proof.path]
    return before.origin == after.origin and is_consistent(
        (before.size, before.root), (after.size, after.root), path, sm3
    )


def _check_inclusion(proof: InclusionProof, checkpoint: Checkpoint) -> None:
    rows = [one.to_row() for one in proof.transfers]
    group = proof.group
    if proof.transfer_id not in {row[0] for row in rows} or len(linked(rows)) != 1:
        raise CallerError("proof_invalid", "the transfer is not in its leaf")
    if not all(is_sealable(row) and row[CONTENT] == group.at_ms for row in rows):
        raise CallerError("proof_invalid", "not a sealed transfer")
    if not checkpoint.origin.endswith(f"/ledger/{group.chain}"):
        raise CallerError("proof_invalid", "the checkpoint is another chain's")
    root = root_from_proof(
        payload(rows), proof.leaf_index, proof.leaf_count, _bytes(proof.leaf_path), sm3
    )
    if root is None:
        raise CallerError("proof_invalid", "the path to the group's root")
    sealed = group_hash(
        chain=group.chain, seq=group.seq, previous=bytes.fromhex(group.previous_hash),
        root=root, count=group.count, at_ms=group.at_ms,
    )  # fmt: skip
    top = root_from_proof(sealed, group.seq - 1, checkpoint.size, _bytes(proof.log_path), sm3)
    if top != checkpoint.root:
        raise CallerError("proof_invalid", "it does not lead to the checkpoint's root")


def _sealed(row: Sequence[Any]) -> SealedTransfer:
    return SealedTransfer(**dict(zip(_COLUMNS, row, strict=False)))


def _hex(nodes: Sequence[bytes]) -> list[str]:
    return [node.hex() for node in nodes]


def _bytes(nodes: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(node) for node in nodes]
