"""OSCORE keys for devices that cannot agree on one by EDHOC, and are given one (RFC 8613 §3.2).

Rule 1: no secret of a device is written down: it is derived (HKDF-SHA256, RFC 5869) from a root
        that is made for this alone and sealed with the hub's passphrase, and from the key's number
        and device.
Rule 2: a number is one key's for ever. A device that is given a key loses the one before; what was
        taken stays in the list, and is never valid again.
Rule 3: the numbers of our own messages come from blocks that are taken on the disk before they are
        used (RFC 8613 appendix B.1.1), so no nonce comes twice, whatever ends the process. A file
        from a backup knows nothing of the blocks since: after one, all keys must be given anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.coap.limits import GIVEN_ID_BYTES, GIVEN_KEYS_MAX, NUMBER_BLOCK
from hub.durable import open_durable, transaction
from protocol.crypto.keys import generate
from protocol.crypto.sealing import seal, unseal
from protocol.errors import CallerError
from protocol.topics import is_name

KEYS_NAME = "coap_keys.db"
HUB_ID = b"hub"
"""Our sender id in every such context; a device's is its key's number."""
_SECRET_BYTES, _SALT_BYTES = 16, 8
_SCHEMA = """
CREATE TABLE IF NOT EXISTS root (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sealed BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS block (
    number INTEGER PRIMARY KEY AUTOINCREMENT
) STRICT;
CREATE TABLE IF NOT EXISTS given (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    given_at_ms INTEGER NOT NULL,
    taken_at_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS ix_given_valid ON given (device) WHERE taken_at_ms IS NULL;
"""


@dataclass(frozen=True, slots=True)
class GivenKey:
    """Which key a device has. ``taken_at_ms``: since when it opens nothing any more."""

    number: int
    device: str
    given_at_ms: int
    taken_at_ms: int | None = None

    @property
    def device_id(self) -> bytes:
        """The device's sender id: what its messages are found by."""
        return self.number.to_bytes(GIVEN_ID_BYTES)


@dataclass(frozen=True, slots=True)
class KeySecrets:
    """What both ends derive the context from (RFC 8613 §3.2)."""

    master_secret: bytes
    master_salt: bytes


class KeyBook:
    """The keys in one file, which the hub and its commands open side by side; one thread at a time
    uses a book."""

    def __init__(self, path: Path, passphrase: Callable[[], bytes]) -> None:
        self._connection = open_durable(path)
        self._connection.executescript(_SCHEMA)
        self._passphrase = passphrase
        self._root: bytes | None = None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def give(self, device: str, *, now_ms: int) -> GivenKey:
        """A new key for a device, whose earlier one is taken. ``field_invalid`` for what is no
        device's name, and when there are too many."""
        if not is_name(device):
            raise CallerError("field_invalid", "device")
        with transaction(self._connection):
            self._take(device, now_ms)
            if len(self._keys("WHERE taken_at_ms IS NULL")) >= GIVEN_KEYS_MAX:
                raise CallerError("field_invalid", f"{GIVEN_KEYS_MAX} keys are given")
            self._make_root()
            number = self._connection.execute(
                "INSERT INTO given (device, given_at_ms) VALUES (?, ?)", (device, now_ms)
            ).lastrowid
        assert number is not None
        return GivenKey(number, device, now_ms)

    def take(self, device: str, *, now_ms: int) -> None:
        """Take a device's key; ``field_invalid`` if it has none."""
        with transaction(self._connection):
            if not self._take(device, now_ms):
                raise CallerError("field_invalid", "this device has no key")

    def listed(self) -> list[GivenKey]:
        """All that were ever given, oldest first."""
        return self._keys("")

    def valid(self, device_id: bytes) -> GivenKey | None:
        """The key that a message names, unless it was taken."""
        number = int.from_bytes(device_id)
        found = self._keys("WHERE number = ? AND taken_at_ms IS NULL", number)
        return found[0] if found else None

    def secrets(self, key: GivenKey) -> KeySecrets:
        """What a key is derived from; ``key_unsealable`` under another passphrase."""
        length = _SECRET_BYTES + _SALT_BYTES
        info = b"tillway coap key %d of %s" % (key.number, key.device.encode())
        made = HKDF(SHA256(), length, salt=None, info=info).derive(self._open_root())
        return KeySecrets(made[:_SECRET_BYTES], made[_SECRET_BYTES:])

    def take_block(self) -> int:
        """The first of ``NUMBER_BLOCK`` sequence numbers that were never used and are now
        reserved."""
        with transaction(self._connection):
            taken = self._connection.execute("INSERT INTO block DEFAULT VALUES").lastrowid
            self._connection.execute("DELETE FROM block WHERE number < ?", (taken,))
        assert taken is not None
        return taken * NUMBER_BLOCK

    def _keys(self, where: str, *values: object) -> list[GivenKey]:
        asked = (
            f"SELECT number, device, given_at_ms, taken_at_ms FROM given {where} ORDER BY number"  # noqa: S608
        )
        return [GivenKey(*row) for row in self._connection.execute(asked, values)]

    def _take(self, device: str, now_ms: int) -> bool:
        taken = self._connection.execute(
            "UPDATE given SET taken_at_ms = ? WHERE device = ? AND taken_at_ms IS NULL",
            (now_ms, device),
        )
        return taken.rowcount == 1

    def _make_root(self) -> None:
        if self._sealed() is None:
            sealed = seal(generate("ES256"), self._passphrase())
            self._connection.execute("INSERT INTO root VALUES (1, ?)", (sealed,))

    def _open_root(self) -> bytes:
        if self._root is None:
            sealed = self._sealed()
            assert sealed is not None, "made with the first key"
            self._root = unseal(sealed, self._passphrase()).private_bytes()
        return self._root

    def _sealed(self) -> bytes | None:
        row: tuple[bytes] | None = self._connection.execute("SELECT sealed FROM root").fetchone()
        return None if row is None else row[0]


def libcoap_text(key: GivenKey, made: KeySecrets) -> str:
    """The device's end of a key, as libcoap's ``coap-oscore-conf(5)`` is written; the algorithms
    are those that RFC 8613 takes where none are named."""
    return (
        f"# OSCORE key {key.number} of {key.device} at its hub. Secret: for this device alone.\n"
        f'master_secret,hex,"{made.master_secret.hex()}"\n'
        f'master_salt,hex,"{made.master_salt.hex()}"\n'
        f'sender_id,hex,"{key.device_id.hex()}"\n'
        f'recipient_id,ascii,"{HUB_ID.decode()}"\n'
    )
