"""How many different keys a window holds that only moves forward. Pure."""

from array import array


class Recent:
    """The keys between two places of a history, counted as the places move on."""

    __slots__ = ("_begin", "_counts", "_end")

    WORTH = 64
    """Below so many keys, looking at them all is as fast."""

    def __init__(self, begin: int) -> None:
        self._begin = begin
        self._end = begin
        self._counts: dict[int, int] = {}

    def may_move(self, begin: int, end: int) -> bool:
        """Whether the window lies ahead; one that lies behind is a late event's."""
        return begin >= self._begin and end >= self._end

    def move(self, keys: "array[int]", begin: int, end: int) -> None:
        """Bring the window to the new places."""
        counts = self._counts
        for place in range(self._end, end):
            key = keys[place]
            if key:
                counts[key] = counts.get(key, 0) + 1
        for place in range(self._begin, begin):
            key = keys[place]
            if key:
                left = counts[key] - 1
                if left:
                    counts[key] = left
                else:
                    del counts[key]
        self._begin, self._end = begin, end

    def different_with(self, key: int) -> int:
        """How many different keys there are, with this one (0: none more)."""
        return len(self._counts) + (key != 0 and key not in self._counts)

    def shift(self, gone: int) -> bool:
        """The history dropped so many of its first places. Whether it can be counted on: not where
        the window, for which nobody has asked for long, has lost places that it would move over."""
        self._begin -= gone
        self._end -= gone
        return self._begin >= 0
