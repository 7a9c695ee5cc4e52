"""What this machine is made of, from the files of its system.

Rule 1: a source that is not there, or that does not let itself be read, is ``None``: that says
        something, too.
Rule 2: nothing is written, no program is started, and no value reaches a log.
Rule 3: every file is below ``root``, so that a tree of files stands in for a machine in tests.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from protocol.limits import FINGERPRINT_ITEMS_MAX, TEXT_CHARS_MAX
from terminal.adapters.limits import SYSTEM_FILE_BYTES_MAX
from terminal.ports import Value

_HASH_CHARS = 32
_VOLATILE = re.compile(r"^(root|rootwait|init|systemd\.machine_id|bootid|ip|quiet)(=|$)")
"""Words of the kernel's command line that differ from start to start, or are told elsewhere."""
_VIRTUAL = ("lo", "docker", "veth", "br-", "virbr", "tun", "tap", "wg")


@dataclass(frozen=True, slots=True)
class HostReader:
    """Reads below ``root``. ``scanner`` and ``printer`` are the ports of those peripherals."""

    root: Path = Path("/")
    scanner: str | None = None
    printer: str | None = None

    def read(self) -> dict[str, Value]:
        """The attributes that are read from files."""
        sources: dict[str, Callable[[], Value]] = {
            "cpu_serial": self._cpu_serial,
            "board_revision": lambda: self._cpu_line("Revision"),
            "board_model": lambda: self._text("proc/device-tree/model"),
            "otp_hash": self._otp,
            "machine_id": lambda: self._text("etc/machine-id"),
            "kernel": lambda: self._text("proc/sys/kernel/osrelease"),
            "kernel_tainted": lambda: self._text("proc/sys/kernel/tainted"),
            "lockdown": lambda: self._text("sys/kernel/security/lockdown"),
            "os_build": self._os_build,
            "cmdline_hash": self._command_line,
            "modules": self._modules,
            "eth_mac": lambda: self._mac("e"),
            "wifi_mac": lambda: self._mac("wl"),
            "bt_mac": lambda: self._text("sys/class/bluetooth/hci0/address"),
            "sd_cid": lambda: self._first("sys/block", "mmcblk*/device/cid"),
            "rootfs_uuid": self._root_filesystem,
            "usb_topology": self._usb,
            "scanner_serial": lambda: self._port_serial(self.scanner),
            "printer_serial": lambda: self._port_serial(self.printer),
            "tpm_ek_hash": lambda: self._hash("sys/class/tpm/tpm0/ek_certificate"),
            "display_edid": lambda: self._hashed("sys/class/drm", "*/edid"),
            "ram_kib": self._ram,
            "hypervisor": self._hypervisor,
            "virtio_devices": lambda: self._count("sys/bus/virtio/devices"),
            "hwmon_devices": lambda: self._count("sys/class/hwmon"),
            "dmi_vendor": lambda: self._text("sys/class/dmi/id/sys_vendor"),
        }
        return {name: source() for name, source in sources.items()}

    def _bytes(self, path: str) -> bytes | None:
        try:
            with (self.root / path).open("rb") as file:
                return file.read(SYSTEM_FILE_BYTES_MAX)
        except OSError:
            return None

    def _text(self, path: str) -> str | None:
        found = self._bytes(path)
        if found is None:
            return None
        text = "".join(one for one in found.decode("utf-8", "replace") if one.isprintable())
        return text.strip()[:TEXT_CHARS_MAX] or None

    def _lines(self, path: str) -> list[str]:
        return (self._bytes(path) or b"").decode("utf-8", "replace").splitlines()

    def _hash(self, path: str) -> str | None:
        found = self._bytes(path)
        return hashlib.sha256(found).hexdigest()[:_HASH_CHARS] if found else None

    def _below(self, folder: str, pattern: str) -> Iterator[str]:
        """Paths below ``root`` that a pattern finds, in order."""
        try:
            found = sorted((self.root / folder).glob(pattern))
        except OSError:
            return
        for path in found[:FINGERPRINT_ITEMS_MAX]:
            yield str(path.relative_to(self.root))

    def _first(self, folder: str, pattern: str) -> str | None:
        return next(filter(None, map(self._text, self._below(folder, pattern))), None)

    def _hashed(self, folder: str, pattern: str) -> str | None:
        return next(filter(None, map(self._hash, self._below(folder, pattern))), None)

    def _count(self, folder: str) -> str:
        """How many there are, as a text: integers are kept for what is measured."""
        return str(sum(1 for _ in self._below(folder, "*")))

    def _cpu_line(self, word: str) -> str | None:
        for line in self._lines("proc/cpuinfo"):
            name, _, value = line.partition(":")
            if name.strip() == word:
                return value.strip()[:TEXT_CHARS_MAX] or None
        return None

    def _cpu_serial(self) -> str | None:
        return self._text("proc/device-tree/serial-number") or self._cpu_line("Serial")

    def _otp(self) -> str | None:
        """A hash of the one-time-programmable memory; None where it is all zero."""
        for path in self._below("sys/bus/nvmem/devices", "*otp*/nvmem"):
            found = self._bytes(path)
            if found and any(found):
                return hashlib.sha256(found).hexdigest()[:_HASH_CHARS]
        return None

    def _os_build(self) -> str | None:
        told = dict(line.partition("=")[::2] for line in self._lines("etc/os-release"))
        words = [told.get(name, "").strip('"') for name in ("ID", "VERSION_ID", "BUILD_ID")]
        return " ".join(filter(None, words))[:TEXT_CHARS_MAX] or None

    def _command_line(self) -> str | None:
        line = self._text("proc/cmdline")
        if line is None:
            return None
        kept = " ".join(word for word in line.split() if not _VOLATILE.match(word))
        return hashlib.sha256(kept.encode()).hexdigest()[:_HASH_CHARS]

    def _root_filesystem(self) -> str | None:
        """As the kernel was told to find it; a verified one is named by its root hash."""
        words = dict(
            word.partition("=")[::2] for word in (self._text("proc/cmdline") or "").split()
        )
        return words.get("roothash") or words.get("root") or None

    def _modules(self) -> Value:
        names = sorted(line.split()[0] for line in self._lines("proc/modules") if line.strip())
        return names[:FINGERPRINT_ITEMS_MAX] or None

    def _mac(self, prefix: str) -> str | None:
        """Of the first real interface whose name begins so."""
        for path in self._below("sys/class/net", "*/address"):
            name = path.split("/")[-2]
            if name.startswith(prefix) and not name.startswith(_VIRTUAL):
                return self._text(path)
        return None

    def _usb(self) -> Value:
        found = []
        for path in self._below("sys/bus/usb/devices", "*/idVendor"):
            place = path.removesuffix("/idVendor")
            product = self._text(f"{place}/idProduct")
            found.append(f"{place.split('/')[-1]}={self._text(path)}:{product}")
        return found or None

    def _port_serial(self, port: str | None) -> str | None:
        """The serial number of the USB device behind a serial port, if it has one."""
        if port is None or not port.startswith("/dev/tty"):
            return None
        place = self.root / "sys/class/tty" / port.removeprefix("/dev/") / "device"
        try:
            place = place.resolve(strict=True)
        except OSError:
            return None
        for folder in (place, *place.parents):
            if not folder.is_relative_to(self.root.resolve()) or folder == self.root.resolve():
                return None
            if (folder / "serial").is_file():
                return self._text(str((folder / "serial").relative_to(self.root.resolve())))
        return None

    def _ram(self) -> str | None:
        for line in self._lines("proc/meminfo"):
            if line.startswith("MemTotal:"):
                return line.split()[1]
        return None

    def _hypervisor(self) -> str:
        flags = self._cpu_line("flags") or ""
        whole = " ".join(self._lines("proc/cpuinfo"))
        return "yes" if "hypervisor" in f"{flags} {whole}".split() else "no"
