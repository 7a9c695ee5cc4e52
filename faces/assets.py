"""Static files of the shared design and of one face, at addresses that change with their content.

Rule 1: one digest over all files stands in the path, so scripts import each other by relative
        names, browsers keep every file for good, and an update never mixes old with new.
Rule 2: the files are read once, at the start, into memory.
"""

import hashlib
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response

from faces.limits import ASSET_BYTES_MAX, CACHE_S
from faces.packing import packed, takes_gzip

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
}
_PACKED = frozenset({".css", ".js", ".svg"})
_DIGEST_CHARS = 16


class Assets:
    """The files as ``faces/base.css`` and, of the face ``till``, as ``till/…``."""

    def __init__(self, face: str, package: str, *, root: str = "") -> None:
        """``package`` has a folder ``static``. ``root`` begins the addresses of a face that shares
        its application with others: ``/wallet``."""
        self._root = root
        self._files = dict(_files("faces", "faces")) | dict(_files(face, package))
        whole = hashlib.sha256()
        for name in sorted(self._files):
            whole.update(name.encode() + b"\0" + self._files[name])
        self._digest = whole.hexdigest()[:_DIGEST_CHARS]
        self._packed = {
            name: packed(content)
            for name, content in self._files.items()
            if PurePosixPath(name).suffix in _PACKED
        }

    def url(self, name: str) -> str:
        """Where a file is; a name that is not there is a bug."""
        assert name in self._files, name
        return f"{self._root}/static/{self._digest}/{name}"

    def mount(self, app: FastAPI | APIRouter) -> None:
        """Serve them."""

        @app.get(self._root + "/static/{digest}/{name:path}", include_in_schema=False)
        async def static(digest: str, name: str, request: Request) -> Response:
            if digest != self._digest or name not in self._files:
                raise HTTPException(404)
            return self._answer(name, is_packed=name in self._packed and takes_gzip(request))

    def _answer(self, name: str, *, is_packed: bool) -> Response:
        headers = {
            "cache-control": f"public, max-age={CACHE_S}, immutable",
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        content = self._packed[name] if is_packed else self._files[name]
        if is_packed:
            headers["content-encoding"] = "gzip"
        return Response(content, media_type=_TYPES[PurePosixPath(name).suffix], headers=headers)


def _files(prefix: str, package: str) -> Iterator[tuple[str, bytes]]:
    """Every file below ``static`` of a package, by its name in the address."""
    waiting: list[tuple[str, Traversable]] = [(prefix, resources.files(package) / "static")]
    while waiting:
        name, entry = waiting.pop()
        for child in entry.iterdir():
            inside = f"{name}/{child.name}"
            if child.is_dir():
                waiting.append((inside, child))
            elif PurePosixPath(child.name).suffix in _TYPES:
                content = child.read_bytes()
                assert len(content) <= ASSET_BYTES_MAX, inside
                yield inside, content
