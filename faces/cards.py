"""Makes a table that a phone can show as cards: one card a row, each cell after its column's name.

Rule 1: templates write plain tables; what a narrow window needs of them is put in here, from the
table's own heads, so no table can lack it. Rule 2: cells that a style sheet lays out as blocks stay
cells to whoever listens: their roles are said, as some browsers forget them then.
"""

import re

from markupsafe import Markup, escape

_HEADS = re.compile(r"<thead>.*?</thead>", re.DOTALL)
_HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_TAG = re.compile(r"<(thead|tbody|tr|td|th)\b([^>]*)>")
_SPAN = re.compile(r'\bcolspan="(\d+)"')
_ROLES = {"thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell", "th": "rowheader"}


def labelled(table: str) -> Markup:
    """A table's ``thead`` and ``tbody``, made by an escaping template, with every role and, in
    each cell, its column's name as ``data-label``; a name that is not shown there is none here.
    """
    heads = _HEADS.search(table)
    assert heads is not None, "a table has a thead"
    names = [_shown(name) for name in _HEAD.findall(heads[0])]
    column = 0

    def cell(found: re.Match[str]) -> str:
        nonlocal column
        tag, more = found.groups()
        said = f"<{tag}{more} role={_ROLES[tag]}"
        if tag == "tr":
            column = 0
        if tag not in {"td", "th"}:
            return f"{said}>"
        span = _SPAN.search(more)
        first, column = column, column + (int(span[1]) if span else 1)
        label = " · ".join(name for name in names[first:column] if name)
        return f'{said} data-label="{escape(label)}">' if label else f"{said}>"

    head = _TAG.sub(_head, heads[0])
    return Markup(head + _TAG.sub(cell, table[heads.end() :]))  # noqa: S704  # of an escaping template


def _shown(name: str) -> str:
    return "" if "visually-hidden" in name else Markup(name).striptags()  # noqa: S704  # only read


def _head(found: re.Match[str]) -> str:
    tag, more = found.groups()
    return f"<{tag}{more} role={'columnheader' if tag == 'th' else _ROLES[tag]}>"
