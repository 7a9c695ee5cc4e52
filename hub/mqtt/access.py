"""What a terminal may do: write and read its own branch, and hear the hub's state. Nothing else."""

from typing import Literal, cast

from mqtt5 import SubAckReasonCode

from protocol.topics import READABLE, ROOT, WRITABLE, Kind, hub_state_topic, terminal_topic

Channel = Literal["res", "cmd", "cfg", "hub"]
"""What a terminal can listen to."""

RETAINED_FROM_TERMINAL: frozenset[Kind] = frozenset({"state"})
"""The only kind a terminal may ask to keep: nothing about money is retained."""


class Branch:
    """The topics of one terminal, computed once."""

    __slots__ = ("_wildcards", "readable", "reply_topic", "tid", "topic_of", "writable")

    def __init__(self, store: str, tid: str) -> None:
        self.tid = tid
        self.writable: dict[str, Kind] = {
            terminal_topic(store, tid, kind): kind for kind in cast(frozenset[Kind], WRITABLE)
        }
        self.topic_of: dict[Channel, str] = {
            cast(Channel, kind): terminal_topic(store, tid, cast(Kind, kind)) for kind in READABLE
        }
        self.topic_of["hub"] = hub_state_topic(store)
        self.readable: dict[str, Channel] = {topic: key for key, topic in self.topic_of.items()}
        self.reply_topic = self.topic_of["res"]
        prefix = f"{ROOT}/{store}/t/{tid}"
        self._wildcards = frozenset({f"{prefix}/#", f"{prefix}/+"})

    def granted(self, pattern: str) -> frozenset[Channel] | SubAckReasonCode:
        """The channels that a filter covers, or the reason why it is refused (§3.9.3)."""
        channel = self.readable.get(pattern)
        if channel is not None:
            return frozenset({channel})
        if pattern in self._wildcards:
            return frozenset(key for key in self.topic_of if key != "hub")
        if pattern.startswith("$share/"):
            return SubAckReasonCode.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
        return SubAckReasonCode.NOT_AUTHORIZED
