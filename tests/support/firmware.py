"""Firmware images as the maker's tool makes them: ``imgtool``, unmodified, in this process."""

from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner
from imgtool.main import imgtool

SLOT_SECTORS = 8
SLOT_BYTES = SLOT_SECTORS * 4096


def run_imgtool(*words: str | Path) -> str:
    """Run the tool; its output."""
    result = CliRunner().invoke(imgtool, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@dataclass(frozen=True)
class SigningRoom:
    """A directory with a key pair: signs images for boards built with the public key."""

    directory: Path
    kind: str

    @property
    def key(self) -> Path:
        """The private key's file."""
        return self.directory / "key.pem"

    @property
    def public_pem(self) -> Path:
        """The public key's file."""
        return self.directory / "public.pem"

    def sign(self, body: bytes, version: str, *options: str) -> bytes:
        """A signed image with this body."""
        plain, signed = self.directory / "body.bin", self.directory / "signed.bin"
        plain.write_bytes(body)
        run_imgtool(
            "sign", "-k", self.key, "--align", "8", "-v", version, "-H", "512", "--pad-header",
            "-S", str(SLOT_BYTES), *options, plain, signed,
        )  # fmt: skip
        return signed.read_bytes()


def open_signing_room(directory: Path, kind: str = "ecdsa-p256") -> SigningRoom:
    """Make the key pair."""
    directory.mkdir(parents=True, exist_ok=True)
    room = SigningRoom(directory, kind)
    run_imgtool("keygen", "-k", room.key, "-t", kind)
    run_imgtool("getpub", "-k", room.key, "-e", "pem", "-o", room.public_pem)
    return room


def body_of(name: str, size: int) -> bytes:
    """Some firmware, and no two of the same name and size differ."""
    line = f"{name} ".encode()
    return (line * (size // len(line) + 1))[:size]
