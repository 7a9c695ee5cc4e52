"""Find the strings in a packet and check them, before the codec sees them (MQTT 5.0 §1.5.4).

The codec (mqtt5 0.8) panics, with a trace on stderr, on a string that is not UTF-8, and lets U+0000
pass. So the strings are visited here first; a packet whose text is plain ASCII is not walked.
"""

from hub.mqtt.faults import malformed

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH = 1, 3, 4, 8, 10, 14, 15

_ONE = frozenset({0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A})
_TWO = frozenset({0x13, 0x21, 0x22, 0x23})
_FOUR = frozenset({0x02, 0x11, 0x18, 0x27})
_TEXT = frozenset({0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F})
_BINARY = frozenset({0x09, 0x16})
_SUBSCRIPTION_ID = 0x0B
_USER_PROPERTY = 0x26


def check_text(frame: bytes) -> None:
    """Raise ``WireError`` if a string of the packet is not well-formed UTF-8 or holds U+0000."""
    cursor = _Cursor(frame)
    kind = frame[0] >> 4
    if kind == PUBLISH:
        _check_publish(cursor, qos=frame[0] >> 1 & 3)
    elif kind == CONNECT:
        _check_connect(cursor)
    elif kind in (SUBSCRIBE, UNSUBSCRIBE):
        cursor.skip(2)
        cursor.properties()
        while not cursor.is_at_end:
            cursor.text()
            cursor.skip(1 if kind == SUBSCRIBE else 0)
    elif PUBACK <= kind < SUBSCRIBE:
        cursor.tail_properties(fixed=3)
    elif kind in (DISCONNECT, AUTH):
        cursor.tail_properties(fixed=1)


def _check_publish(cursor: "_Cursor", *, qos: int) -> None:
    cursor.text()
    cursor.skip(2 if qos else 0)
    cursor.properties()


def _check_connect(cursor: "_Cursor") -> None:
    """§3.1.3: client id, will properties, will topic, will payload, user name, password."""
    cursor.text()
    cursor.skip(1)
    flags = cursor.byte()
    cursor.skip(2)
    cursor.properties()
    cursor.text()
    if flags & 0x04:
        cursor.properties()
        cursor.text()
        cursor.binary()
    if flags & 0x80:
        cursor.text()
    if flags & 0x40:
        cursor.binary()


class _Cursor:
    """A reading position in one packet's body."""

    __slots__ = ("_at", "_frame")

    def __init__(self, frame: bytes) -> None:
        self._frame = frame
        self._at = 1
        self.varint()

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._frame)

    def skip(self, count: int) -> bytes:
        start, self._at = self._at, self._at + count
        if self._at > len(self._frame):
            raise malformed("packet ends early")
        return self._frame[start : self._at]

    def byte(self) -> int:
        return self.skip(1)[0]

    def varint(self) -> int:
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise malformed("variable byte integer")

    def binary(self) -> bytes:
        return self.skip(int.from_bytes(self.skip(2)))

    def text(self) -> None:
        raw = self.binary()
        if 0 in raw:
            raise malformed("U+0000 in a string")
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            raise malformed("string is not UTF-8") from None

    def tail_properties(self, *, fixed: int) -> None:
        """The properties of a packet that may end before them."""
        if len(self._frame) - self._at > fixed:
            self.skip(fixed)
            self.properties()

    def properties(self) -> None:
        """§2.2.2. An unknown identifier is malformed."""
        end = self.varint() + self._at
        if end > len(self._frame):
            raise malformed("properties end early")
        while self._at < end:
            self._property(self.varint())
        if self._at != end:
            raise malformed("property length")

    def _property(self, identifier: int) -> None:
        if identifier in _TEXT:
            self.text()
        elif identifier in _ONE or identifier in _TWO or identifier in _FOUR:
            self.skip(1 if identifier in _ONE else 2 if identifier in _TWO else 4)
        elif identifier in _BINARY:
            self.binary()
        elif identifier == _USER_PROPERTY:
            self.text()
            self.text()
        elif identifier == _SUBSCRIPTION_ID:
            self.varint()
        else:
            raise malformed("unknown property")


def is_text_plain(frame: bytes) -> bool:
    """Whether a PUBLISH has no string that needs a look: an ASCII topic and ASCII properties.

    On the hot path, so by hand; false only means that ``check_text`` must look. U+0000 in the topic
    or the response topic cannot match a topic of the tree; in other strings, which nobody reads, it
    is let pass here.
    """
    body = 2 if frame[1] < 0x80 else 3
    if len(frame) < body + 2 or frame[body - 1] >= 0x80:
        return False
    topic_end = body + 2 + (frame[body] << 8 | frame[body + 1])
    properties = topic_end + (2 if frame[0] & 0x06 else 0)
    if properties >= len(frame) or frame[properties] >= 0x80:
        return False
    end = properties + 1 + frame[properties]
    return frame[body + 2 : topic_end].isascii() and frame[properties:end].isascii()
