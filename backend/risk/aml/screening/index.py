"""Names of lists, found by how alike they are.

Rule 1: trigrams of the squeezed name choose candidates; letters are compared for those alone.
Rule 2: a name is as alike as its best comparison: words in any order, spaces taken out in any
        rotation, or the shorter name's words all being the longer one's.
Rule 3: the same entry is one hit, by the name of it that is most alike.
"""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from backend.risk.aml.screening.limits import CANDIDATES_MAX, HITS_PER_NAME_MAX
from backend.risk.aml.screening.model import Hit, Listed, ListedKind, NameList, Person
from backend.risk.aml.screening.names import Form, Script, forms

HIT_FROM = 0.85
HIT_FROM_MIN = 0.5
"""What is less alike is not looked at, whoever asks."""
SHARED_TRIGRAMS_MIN = 0.35
"""Of the shorter name. One letter changed takes three trigrams away: three of nine letters' seven
leave more than this."""
PART_SCORE = 0.9
"""Of a name whose words are all in the other's, such as without the father's name."""
PART_LETTERS_MIN = 8
SOUND_FACTOR = 0.95
"""Pinyin against pinyin or letters: other characters may sound the same."""
DENIED = 0.15
"""Taken off for a birth year or a kind that is another."""
BIRTH_YEARS_APART_MAX = 1
Found = tuple[float, str]


class NameIndex:
    """The lists' names. Built once, never changed; ask it from any thread."""

    def __init__(self, lists: Iterable[NameList]) -> None:
        self._entries: list[tuple[str, Listed]] = []
        self._forms: list[tuple[Form, int, str]] = []
        grams: dict[str, list[int]] = defaultdict(list)
        for one in lists:
            for entry in one.entries:
                self._entries.append((one.name, entry))
                self._add(entry, grams)
        self._postings = {gram: np.array(rows, np.int32) for gram, rows in grams.items()}
        self._sizes = np.array([_size(form.squeezed) for form, _, _ in self._forms], np.float32)

    def __len__(self) -> int:
        return len(self._entries)

    def _add(self, entry: Listed, grams: dict[str, list[int]]) -> None:
        number = len(self._entries) - 1
        for name in entry.names:
            for form in forms(name):
                row = len(self._forms)
                self._forms.append((form, number, name))
                for gram in _grams(form.squeezed):
                    grams[gram].append(row)

    def screen(self, person: Person, *, hit_from: float = HIT_FROM) -> list[Hit]:
        """The entries that may be this person, the most alike first."""
        best: dict[int, tuple[float, str, str]] = {}
        for form in forms(person.name):
            rotations = form.rotations()
            for row in self._candidates(rotations):
                listed, number, name = self._forms[row]
                score, why = _likeness(form, rotations, listed)
                if score >= hit_from and score > best.get(number, (0.0,))[0]:
                    best[number] = (score, why, name)
        hits = (self._hit(person, number, *found) for number, found in best.items())
        kept = sorted(
            (hit for hit in hits if hit.score >= hit_from),
            key=lambda hit: (-hit.score, hit.list_name, hit.entry_id),
        )
        return kept[:HITS_PER_NAME_MAX]

    def _candidates(self, rotations: tuple[str, ...]) -> list[int]:
        grams = dict.fromkeys(gram for turned in rotations for gram in _grams(turned))
        postings = [self._postings[gram] for gram in grams if gram in self._postings]
        if not postings:
            return []
        shared = np.bincount(np.concatenate(postings))
        wanted = SHARED_TRIGRAMS_MIN * np.minimum(
            self._sizes[: len(shared)], _size(rotations[0]), dtype=np.float32
        )
        rows: NDArray[np.intp] = np.nonzero(shared >= np.maximum(wanted, 1))[0]
        if len(rows) > CANDIDATES_MAX:
            alike = 2 * shared[rows] / (self._sizes[rows] + _size(rotations[0]))
            rows = rows[np.argsort(-alike, kind="stable")[:CANDIDATES_MAX]]
        found: list[int] = rows.tolist()
        return found

    def _hit(self, person: Person, number: int, score: float, why: str, name: str) -> Hit:
        list_name, entry = self._entries[number]
        reasons = [why]
        if _denies_kind(person.kind, entry.kind):
            score -= DENIED
            reasons.append(f"kind is {entry.kind}")
        if person.born is not None and entry.born:
            apart = min(abs(person.born - year) for year in entry.born)
            if apart > BIRTH_YEARS_APART_MAX:
                score -= DENIED
                reasons.append(f"born in {', '.join(map(str, entry.born))}")
            else:
                reasons.append("born in the same year")
        return Hit(
            list_name=list_name,
            entry_id=entry.entry_id,
            listed_name=name,
            score=round(score, 4),
            reasons=tuple(reasons),
        )


def _likeness(form: Form, rotations: tuple[str, ...], listed: Form) -> Found:
    """How alike two forms are, 0.0 … 1.0, and by what."""
    if (form.script is Script.CHARACTERS) != (listed.script is Script.CHARACTERS):
        return 0.0, ""
    score, why = _letters_alike(form, rotations, listed)
    if form.script is Script.CHARACTERS:
        return score, "same characters" if score == 1 else "similar characters"
    if Script.PINYIN in {form.script, listed.script}:
        return score * SOUND_FACTOR, f"pinyin, {why}"
    return score, why


def _letters_alike(form: Form, rotations: tuple[str, ...], listed: Form) -> Found:
    squeezed = listed.squeezed
    if form.tokens == listed.tokens:
        return 1.0, "same name"
    if form.ordered == listed.ordered:
        return 1.0, "other order"
    if squeezed in rotations:
        return 1.0, "other spaces"
    cutoff = 100 * HIT_FROM_MIN
    alike = max(
        fuzz.ratio(form.ordered, listed.ordered, score_cutoff=cutoff),
        *(fuzz.ratio(turned, squeezed, score_cutoff=cutoff) for turned in rotations),
    )
    if alike < 100 * PART_SCORE and _is_part(form, listed):
        return PART_SCORE, "part of the name"
    return alike / 100, "similar spelling"


def _is_part(one: Form, other: Form) -> bool:
    """Whether one name's words, of a name in letters, are all in the other; a syllable says too
    little."""
    if {one.script, other.script} != {Script.LETTERS}:
        return False
    few, many = sorted((frozenset(one.tokens), frozenset(other.tokens)), key=len)
    return len(few) > 1 and few <= many and sum(map(len, few)) >= PART_LETTERS_MIN


def _denies_kind(one: ListedKind, other: ListedKind) -> bool:
    return ListedKind.UNKNOWN not in {one, other} and one is not other


def _grams(squeezed: str) -> frozenset[str]:
    """The trigrams; a name of fewer letters is its own."""
    if len(squeezed) <= 3:
        return frozenset((squeezed,))
    return frozenset(squeezed[at : at + 3] for at in range(len(squeezed) - 2))


def _size(squeezed: str) -> int:
    return len(_grams(squeezed))
