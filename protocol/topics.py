"""The MQTT topic tree: one device, one branch, and what each side may do there.

``tw1/{store}/t/{tid}/{kind}`` for a terminal, ``tw1/{store}/hub/state`` for the hub. The segment
``tid`` is the client id, the certificate's common name and the device of every envelope.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from protocol.errors import CallerError

ROOT = "tw1"
Kind = Literal["req", "res", "cmd", "cmdres", "state", "cfg", "evt", "tele"]
KINDS: frozenset[str] = frozenset(get_args(Kind))
WRITABLE: frozenset[str] = frozenset({"req", "evt", "tele", "state", "cmdres"})
"""What a terminal publishes."""
READABLE: frozenset[str] = frozenset({"res", "cmd", "cfg"})
"""What a terminal subscribes to on its own branch, beside the hub's state."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class TopicName:
    """A parsed topic. ``tid`` is empty for the hub's own branch."""

    store: str
    tid: str
    kind: str

    @property
    def is_hub(self) -> bool:
        """Whether the topic is ``tw1/{store}/hub/state``."""
        return not self.tid


def is_name(text: object) -> bool:
    """Whether a store or device name may stand in a topic (no separators, wildcards, spaces)."""
    return isinstance(text, str) and _NAME.match(text) is not None


def terminal_topic(store: str, tid: str, kind: Kind) -> str:
    """The topic of one kind of message of one terminal."""
    if not (is_name(store) and is_name(tid)):
        raise CallerError("field_invalid", "store or device name")
    return f"{ROOT}/{store}/t/{tid}/{kind}"


def hub_state_topic(store: str) -> str:
    """Where the hub says, retained, whether it is there."""
    if not is_name(store):
        raise CallerError("field_invalid", "store name")
    return f"{ROOT}/{store}/hub/state"


def parse_topic(text: str) -> TopicName:
    """Take a topic apart; ``CallerError("field_invalid")`` for one outside this tree."""
    match text.split("/"):
        case [root, store, "t", tid, kind] if (
            root == ROOT and is_name(store) and is_name(tid) and kind in KINDS
        ):
            return TopicName(store, tid, kind)
        case [root, store, "hub", "state"] if root == ROOT and is_name(store):
            return TopicName(store, "", "state")
    raise CallerError("field_invalid", "topic")


COAP_REQUEST_PATH = ("p1", "req")
COAP_HUB_STATE_PATH = ("p1", "hub", "state")


def coap_push_path(tid: str) -> tuple[str, ...]:
    """The resource a CoAP device observes for answers and commands pushed to it."""
    return ("p1", "t", tid, "cmd")


def reply_address(store: str, tid: str, transport: Literal["mqtt", "coap", "local"]) -> str:
    """What a device signs as the place its answer goes to."""
    return terminal_topic(store, tid, "res") if transport == "mqtt" else f"{transport}:{tid}"
