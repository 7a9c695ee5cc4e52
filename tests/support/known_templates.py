"""Templates that are compiled once: every test that puts an app together reads the same ones."""

from jinja2.bccache import Bucket, BytecodeCache


class KnownTemplates(BytecodeCache):
    """Keeps what was made of a file for as long as its text is the same."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], object] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._made.get((bucket.key, bucket.checksum))  # type: ignore[assignment]

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._made[bucket.key, bucket.checksum] = bucket.code
