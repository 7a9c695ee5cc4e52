"""Every page is in a picture of the documents, in both languages, and every picture has a scene.

What a picture shows is noted by the command that draws it (``docs/draw_screens.py``), as the
templates say it themselves in the page that is drawn.
"""

import ast
import json
import re
from collections.abc import Iterator

import pytest
from jinja2 import Environment, nodes

from firmware_sim.bench.view import DRAWINGS, PLAIN_DRAWING
from firmware_sim.kinds.registry import KINDS
from tests.tidy.test_tidy import ROOT, tracked

pytestmark = pytest.mark.xdist_group("tidy")
FOLDER = ROOT / "docs" / "screens"
BENCH_PARTS = "firmware_sim/bench/templates/bench/parts"
SCENES = {
    "till": ("till_scenes",),
    "wallet": ("wallet_scenes",),
    "console": ("console_scenes", "console_merchant_scenes", "operator_scenes", "case_scenes"),
    "bench": ("bench_scenes",),
    "front": ("front_scenes",),
}
NAME = re.compile(r"(?P<face>[a-z]+)-(?P<screen>[a-z0-9-]+?)(-narrow)?-(?P<language>zh|en)")


@pytest.fixture(scope="module")
def noted() -> dict[str, list[str]]:
    """By each picture the templates that it shows."""
    return dict(json.loads((FOLDER / "templates.json").read_text("utf-8")))


def templates() -> Iterator[str]:
    """All that put something into a page: not those of nothing but macros."""
    for name in tracked():
        if "/templates/" in name and name.endswith(".html"):
            body = Environment().parse((ROOT / name).read_text("utf-8")).body  # read
            if any(says(node) for node in body):
                yield name


def says(node: nodes.Node) -> bool:
    """Whether a part of a template is more than a definition, or a space between two of them."""
    if isinstance(node, nodes.Output):
        return any(
            not isinstance(one, nodes.TemplateData) or one.data.strip() for one in node.nodes
        )
    return not isinstance(
        node, nodes.Macro | nodes.Import | nodes.FromImport | nodes.Assign | nodes.AssignBlock
    )


def unneeded() -> set[str]:
    """What stands for devices that have no drawing, while each kind has one."""
    return set() if set(KINDS) - set(DRAWINGS) else {f"{BENCH_PARTS}/{PLAIN_DRAWING}.html"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_template_is_in_a_picture(noted: dict[str, list[str]], language: str) -> None:
    shown = {
        template
        for name, made in noted.items()
        if name.endswith(f"-{language}")
        for template in made
    }
    unseen = set(templates()) - shown - unneeded()
    assert sorted(unseen) == [], "give them a scene, and draw it"
    assert [name for name in sorted(shown) if not (ROOT / name).is_file()] == [], "draw anew"


def test_the_pictures_are_those_that_were_drawn_in_both_languages(
    noted: dict[str, list[str]],
) -> None:
    pictures = {path.stem for path in FOLDER.glob("*.png")}
    assert sorted(pictures ^ set(noted)) == []
    others = {"zh": "en", "en": "zh"}
    assert not {f"{name[:-2]}{others[name[-2:]]}" for name in pictures} - pictures


def test_every_picture_is_of_a_scene(noted: dict[str, list[str]]) -> None:
    scenes = {
        face: [name for module in modules for name in screens(module)]
        for face, modules in SCENES.items()
    }
    strangers = [
        name
        for name in noted
        if not (parts := NAME.fullmatch(name))
        or not any(re.fullmatch(one, parts["screen"]) for one in scenes[parts["face"]])
    ]
    assert not strangers


def screens(module: str) -> set[str]:
    """Patterns of the names that a module of scenes may give: its words, and its words put into
    those that have places for some."""
    tree = ast.parse((ROOT / "tests" / "support" / f"{module}.py").read_text("utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in node.values}  # fmt: skip
    words = {
        re.escape(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[a-z0-9-]+", node.value)
        and id(node) not in parts
    }
    some = f"({'|'.join(sorted(words))})"
    made = {
        "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else some
            for part in node.values
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
    }
    return words | made
