"""What to type to install what a room still needs: from where Tillway itself was installed.

It is on no index. Its name there is anybody's, so no advice of ours names it without its place.
"""

import json
from importlib.metadata import distribution
from urllib.parse import urlsplit
from urllib.request import url2pathname


def how_to_install(extra: str) -> str:
    """The command, for a shell."""
    return f"pip install '{_source(distribution('tillway').read_text('direct_url.json'))}[{extra}]'"


def _source(record: str | None) -> str:
    """The directory that the installer wrote down (PEP 610); none is there for a built archive."""
    url = urlsplit(json.loads(record)["url"] if record else "")
    return url2pathname(url.path) if url.scheme == "file" else "."
