"""Asks a board on a port everything ``smpclient`` knows of its groups; prints the answers as JSON.

Runs in the environment of ``deploy/setup/foreign.sh``, as its own process.
"""

import asyncio
import json
import sys

from smpclient import SMPClient
from smpclient.generics import error, success
from smpclient.requests.enumeration_management import (
    CountSupportedGroups,
    GroupDetails,
    GroupId,
    ListSupportedGroups,
)
from smpclient.requests.image_management import ImageErase, ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import (
    BootloaderInformationRead,
    DateTimeRead,
    DateTimeWrite,
    EchoWrite,
    MCUMgrParametersRead,
    OSApplicationInfoRead,
)
from smpclient.transport.serial import SMPSerialTransport

REQUESTS = {
    "echo": EchoWrite(d="hello " * 60),
    "parameters": MCUMgrParametersRead(),
    "bootloader": BootloaderInformationRead(),
    "about": OSApplicationInfoRead(format="a"),
    "clock_unset": DateTimeRead(),
    "clock_set": DateTimeWrite(datetime="2026-11-28T09:00:00"),
    "clock": DateTimeRead(),
    "group_count": CountSupportedGroups(),
    "groups": ListSupportedGroups(),
    "last_group": GroupId(index=2),
    "group_details": GroupDetails(),
    "states": ImageStatesRead(),
    "no_such_hash": ImageStatesWrite(hash=b"x" * 32),
    "erase": ImageErase(),
}


async def main(port: str) -> None:
    """One session."""
    answers = {}
    async with SMPClient(SMPSerialTransport(), port) as client:
        for name, request in REQUESTS.items():
            answer = await client.request(request)
            kind = "ok" if success(answer) else "refused" if error(answer) else "other"
            answers[name] = [kind, str(answer)]
    sys.stdout.write(json.dumps(answers))


asyncio.run(main(sys.argv[1]))
