"""Where a running stack listens, left in its directory for other commands of this machine."""

import json
from pathlib import Path
from typing import Any

from protocol.errors import CallerError
from tillway.demo.ports import HOST
from tillway.demo.stack import OPERATOR_TOKEN, Stack
from tillway.operator_place import place_script
from tillway.private_files import write_files

STACK_FILE, PLACE_FILE, FRONT_FILE = "stack.json", "operator.env", "front.json"


def leave_addresses(stack: Stack) -> None:
    """Write them as JSON, and for shells what spares an operator's commands their options."""
    tills = {
        name.removesuffix("-board"): {
            "url": stack.till(name.removesuffix("-board")).api.url,
            "board_url": f"http://{HOST}:{program.port('http')}",
        }
        for name, program in stack.programs.items()
        if name.endswith("-board")
    }
    addresses = {
        "public_url": stack.public_url,
        "ca": str(stack.ca),
        "tills": tills,
        "things": {
            name.removesuffix("-machine"): f"http://{HOST}:{program.port('http')}"
            for name, program in stack.programs.items()
            if name.endswith("-machine")
        },
        "terminals": {
            name: stack.till(name).api.url
            for name in stack.programs
            if (stack.root / name / "control.token").exists()
        },
        "hub_url": stack.hub_control.url,
        "institutions": {name: api.url for name, api in stack.sandbox.controls().items()},
    }
    place = place_script(stack.public_url, stack.ca, stack.root / OPERATOR_TOKEN)
    files = {STACK_FILE: json.dumps(addresses), PLACE_FILE: place}
    write_files(stack.root, {name: text.encode() for name, text in files.items()})


def leave_front(root: Path, url: str, token: str) -> None:
    """Where the front page is, and what it asks a program for that wants something done."""
    content = json.dumps({"url": url.rstrip("/"), "token": token}).encode()
    write_files(root, {FRONT_FILE: content})


def _none_in(directory: Path) -> CallerError:
    here = directory.absolute()
    return CallerError(
        "config_invalid",
        f"no stack is running in {here}: start one (tillway up), or say where (--directory)",
        detail_zh=f"{here} 里没有在运行的系统：请先运行 tillway up，或用 --directory 指明位置。",
    )


def front_in(directory: Path) -> tuple[str, str]:
    """The front page's address and its token; ``config_invalid`` where none has run."""
    path = directory / FRONT_FILE
    if not path.exists():
        raise _none_in(directory)
    found = json.loads(path.read_text("utf-8"))
    return found["url"], found["token"]


def stack_in(directory: Path) -> dict[str, Any]:
    """Where the programs of a stack listen; ``config_invalid`` where none has run."""
    path = directory / STACK_FILE
    if not path.exists():
        raise _none_in(directory)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found
