"""Renders the pages of one face: its own templates over the shared layout and parts.

A template has ``lang``, ``say(words)`` for anything bilingual, ``w(name)`` for the face's own
catalogue, ``counted(3, name)`` for a number and what is counted (of one: ``name_one``, if there
is), and ``asset(name)`` for static files; a name that is not there is an error, not a blank.
"""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from faces.assets import Assets
from faces.cards import labelled
from faces.words import Bilingual, Catalogue, Language, said


class Pages:
    """The templates and words of one face."""

    def __init__(self, package: str, assets: Assets, words: Catalogue) -> None:
        """``package`` has a folder ``templates``."""
        self._words = words
        self._templates = Environment(
            loader=ChoiceLoader([PackageLoader(package), PackageLoader("faces")]),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["asset"] = assets.url
        self._templates.filters["labelled"] = labelled

    def render(self, template: str, language: Language, **context: Any) -> Markup:  # noqa: ANN401
        """A template's text, safe to put into another one."""

        def say(words: Bilingual) -> str:
            return said(words, language)

        def w(name: str) -> str:
            return said(self._words[name], language)

        def counted(count: int, name: str) -> str:
            one = f"{name}_one"
            return f"{count:,} {w(one if count == 1 and one in self._words else name)}"

        made = self._templates.get_template(template).render(
            lang=language,
            other_lang="en" if language == "zh" else "zh",
            say=say,
            w=w,
            counted=counted,
            **context,
        )
        return Markup(made)  # noqa: S704  # made by an escaping template
