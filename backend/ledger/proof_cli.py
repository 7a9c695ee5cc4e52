"""``tillway ledger key``, ``checkpoint(s)``, ``prove``, ``consistency`` and ``check``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from backend.clock import SystemClock
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.option import Database
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger.checkpoints import CheckpointMaker
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.limits import PROOF_BYTES_MAX
from backend.ledger.proofs import check, prove, prove_consistency
from backend.ledger.repository import LedgerRepository
from backend.ledger.schemas import InclusionProof, Proof, read_proof
from backend.ledger.statement_cli import catch_up
from protocol import identity
from protocol.errors import CallerError
from protocol.signed_note import NoteKey

_IDENTITY = "identity"
_PASSPHRASE = "passphrase"  # noqa: S105  # a file's name
_Chain = Annotated[str, typer.Option(help="The chain of groups.")]
_Out = Annotated[Path | None, typer.Option(help="Write there and not to the screen.")]
_State = Annotated[
    Path,
    typer.Option("--state", envvar="TILLWAY_BACKEND_STATE_DIR", help="The backend's directory."),
]
_PassphraseFile = Annotated[
    Path | None,
    typer.Option(envvar="TILLWAY_BACKEND_PASSPHRASE_FILE", help="Else STATE/passphrase."),
]


def add_to(app: typer.Typer) -> None:
    """Give the room's program these commands."""
    for command in (key, checkpoint, checkpoints, consistency):
        app.command()(command)
    app.command("prove")(prove_command)
    app.command("check")(check_command)


def key(state: _State = Path("var/backend"), chain: _Chain = "main") -> None:
    """Print the public key that checks the backend's checkpoints. Needs no passphrase."""
    facts = identity.Facts.from_bytes(state.joinpath(_IDENTITY, identity.FACTS).read_bytes())
    for public in facts.backend_keys:
        _say(NoteKey(f"{facts.name}/ledger/{chain}", public).to_text())


def checkpoint(
    database: Database,
    state: _State = Path("var/backend"),
    passphrase_file: _PassphraseFile = None,
    chain: _Chain = "main",
    out: _Out = None,
) -> None:
    """Sign a chain as it is now; prints the newest checkpoint. A backend does it every day."""
    signer = _signer(state, passphrase_file or state.joinpath(_PASSPHRASE))
    with Reader.opened(database) as reader:
        engine = open_engine(database)
        clock = SystemClock()
        try:
            catch_up(reader, GroupCommitWriter(open_store(engine), clock=clock))
            made = signer.make(reader, chain, clock.now_ms())
            if made is not None:
                writer = GroupCommitWriter(open_store(engine), clock=clock)
                writer.apply([made])[0].value()
                writer.close()
        finally:
            engine.dispose()
        _give(signer.newest(reader, chain)["note"], out)


def checkpoints(database: Database, chain: _Chain = "main") -> None:
    """List a chain's checkpoints, newest first."""
    with Reader.opened(database) as reader, reader.snapshot() as connection:
        for row in DerivedRepository(connection).checkpoints(chain):
            _say(row["note"])


def prove_command(transfer: str, database: Database, out: _Out = None) -> None:
    """Write the proof that a transfer is in the newest checkpoint."""
    with Reader.opened(database) as reader, reader.snapshot() as connection:
        proof = prove(LedgerRepository(connection), DerivedRepository(connection), transfer)
    _give(_text(proof), out)


def consistency(
    old: Annotated[str, typer.Argument(help="A checkpoint's size, or a file with its note.")],
    new: Annotated[int, typer.Argument(help="The size of a later checkpoint.")],
    database: Database,
    chain: _Chain = "main",
    out: _Out = None,
) -> None:
    """Write the proof that the ledger of one checkpoint is the beginning of a later one's."""
    with Reader.opened(database) as reader, reader.snapshot() as connection:
        derived = DerivedRepository(connection)
        kept = _row(derived, chain, int(old)) if old.isdigit() else _read(Path(old)).decode()
        proof = prove_consistency(derived, kept, _row(derived, chain, new))
    _give(_text(proof), out)


def check_command(
    proof: Annotated[Path, typer.Argument(help="A file that prove or consistency wrote.")],
    key: Annotated[str, typer.Option(help="The public key, as 'tillway ledger key' prints it.")],
) -> None:
    """Check a proof with nothing but a public key. Exit code 1 if it does not hold."""
    try:
        read = read_proof(_read(proof))
        found = check(read, NoteKey.from_text(key))
    except CallerError as error:
        _say(f"the proof does NOT hold: {error}")
        raise typer.Exit(1) from None
    if isinstance(read, InclusionProof):
        for one in read.transfers:
            _say(
                f"{one.id} {one.debit} -> {one.credit} {one.amount_minor} {one.currency}"
                f" {one.rule} {one.kind}"
            )
    _say(f"holds in {found.origin}, {found.size} groups, signed at {found.at_ms}")


def _signer(state: Path, passphrase_file: Path) -> CheckpointMaker:
    directory = state.joinpath(_IDENTITY)
    try:
        passphrase = passphrase_file.read_bytes().strip()
        files = {name: (directory / name).read_bytes() for name in identity.FILE_NAMES}
    except OSError as error:
        raise CallerError("config_invalid", f"{error}") from None
    found = identity.read_identity(files, passphrase, directory)
    return CheckpointMaker(found.name, found.signing_key)


def _row(derived: DerivedRepository, chain: str, size: int) -> Row:
    row = derived.checkpoint(chain, size)
    if row is None:
        raise CallerError("checkpoint_unknown", f"{chain} at {size}")
    return row


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(PROOF_BYTES_MAX + 1)
    except OSError as error:
        raise CallerError("config_invalid", f"{error}") from None


def _text(proof: Proof) -> str:
    return proof.model_dump_json(indent=1) + "\n"


def _give(text: str, out: Path | None) -> None:
    if out is None:
        _say(text.removesuffix("\n"))
    else:
        out.write_text(text, encoding="utf-8")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
