"""Which templates made what a page shows: each leaves a comment in its page, which nobody sees.

``python -m tests.support.template_marks WORDS…`` is ``tillway WORDS…`` with such marks.
"""

import re
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from jinja2 import Environment
from jinja2.ext import Extension
from playwright.async_api import Page

ROOT = Path(__file__).resolve().parents[2]
_PLACES = (("script",), ("main", "content", "body", "bar"))
"""Blocks of a page that fills another one, of each row the first that it has: a page's head, and
what a script swaps."""
_SHOWN = """
() => {
  const found = new Set();
  const all = document.createTreeWalker(document, NodeFilter.SHOW_COMMENT);
  while (all.nextNode()) {
    const mark = / made by (\\S+) /.exec(all.currentNode.data);
    if (mark) found.add(mark[1]);
  }
  return [...found].sort();
}
"""


class _Mark(Extension):
    """Puts a template's own path into what it makes."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template with its mark; ``name`` is not used, for two faces may have the same."""
        path = Path(filename or "/").resolve()
        if not path.is_relative_to(ROOT):
            return source
        mark = f"<!-- made by {path.relative_to(ROOT)} -->"
        if "{% extends" not in source:
            return source + mark
        for names in _PLACES:
            begins = (re.search(rf"{{%-?\s*block {name}\s*-?%}}", source) for name in names)
            if found := next(filter(None, begins), None):
                source = source[: found.end()] + mark + source[found.end() :]
        return source


@contextmanager
def marked_templates() -> Iterator[None]:
    """The templates of every program that is begun in this block, in this process, are marked."""
    begin = Environment.__init__

    def begin_marked(self: Environment, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        self.add_extension(_Mark)

    with patch.object(Environment, "__init__", begin_marked):
        yield


async def shown_templates(page: Page) -> list[str]:
    """The paths of the templates that made what is in the page now."""
    return list(await page.evaluate(_SHOWN))


if __name__ == "__main__":
    with marked_templates():
        runpy.run_module("tillway", run_name="__main__", alter_sys=True)
