"""Draws the pictures of every screen: ``python docs/draw_screens.py [PATTERN] [--out FOLDER]``.

``<face>-<screen>-<zh|en>.png``: the till at 800×480, as the smallest has it, the wallet as a phone
of 390×844, the bench at 1280×800, the console and the front page of a whole stack 1280 wide, some
of these also as a phone has them (``<face>-<screen>-narrow-…``); with 64 colours at most.
``screens/templates.json`` notes the templates that made what each picture shows.
"""

import argparse
import asyncio
import io
import json
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402
from playwright.async_api import Page  # noqa: E402

from tests.support import bench_scenes, console_scenes, front_scenes  # noqa: E402
from tests.support.browser import LARGE, SMALL, opened_page, started_browser  # noqa: E402
from tests.support.sim_bench import running_sim  # noqa: E402
from tests.support.template_marks import marked_templates, shown_templates  # noqa: E402
from tests.support.till_scenes import (  # noqa: E402
    GOODS,
    MACHINE,
    METHODS,
    machine_scenes,
    scenes,
)
from tests.support.tills import running_till  # noqa: E402
from tests.support.wallet_phone import PHONE, running_phone  # noqa: E402
from tests.support.wallet_scenes import scenes as wallet_scenes  # noqa: E402
from tillway.demo.ports import Ports  # noqa: E402
from tillway.demo.up import running_stack  # noqa: E402
from tillway.front.server import front_page  # noqa: E402
from tillway.front.shop import shop_of  # noqa: E402
from tillway.supervisor import Supervisor  # noqa: E402

FOLDER = ROOT / "docs" / "screens"
NOTES = FOLDER / "templates.json"
MARKED = "tests.support.template_marks"
COLOURS = 64
NARROW = {
    "today", "payments", "breaks", "callbacks", "devices", "settlements", "cases", "case", "flows",
    "audit",
}  # fmt: skip
"""What of the console is drawn on a phone, too."""
FRONT_NARROW = {"key", "postings"}
STILL_MS = 250  # until no key looks pressed any more
SHOP: dict[str, Any] = {
    "merchant_zh": "街角小店",
    "merchant_en": "Corner Shop",
    "biometric_above_minor": 100_000,
    "goods": GOODS,
    "methods": METHODS,
}


@dataclass(frozen=True, slots=True)
class Album:
    """Where the pictures go, which of all are drawn, and the templates that each one shows."""

    pattern: str
    folder: Path
    drawn: dict[str, list[str]] = field(default_factory=dict)

    async def take(self, page: Page, name: str, *, full_page: bool = False) -> None:
        """A picture of what the page shows, if it is wanted."""
        if fnmatch(f"{name}.png", self.pattern):
            await page.wait_for_timeout(STILL_MS)
            for place in (sys.prefix, str(ROOT)):
                assert place not in await page.inner_text("body"), "no place of this machine"
            keep(await page.screenshot(full_page=full_page), self.folder / f"{name}.png")
            self.drawn[name] = await shown_templates(page)

    def close(self) -> None:
        """Note in the documents' own album which templates each picture shows. A picture that no
        scene of a face made, of which all were drawn, goes."""
        if self.folder != FOLDER:
            return
        noted = json.loads(NOTES.read_text("utf-8")) if NOTES.exists() else {}
        for name in {*noted, *(path.stem for path in FOLDER.glob("*.png"))} - set(self.drawn):
            if self.pattern in {"*", f"{name.partition('-')[0]}-*"}:
                noted.pop(name, None)
                (FOLDER / f"{name}.png").unlink(missing_ok=True)
        text = json.dumps(dict(sorted((noted | self.drawn).items())), indent=1)
        NOTES.write_text(f"{text}\n", "utf-8")


async def draw_till(album: Album, size: dict[str, int]) -> None:
    """All screens of the till and of a vending machine, in both languages."""
    async with started_browser() as browser:
        for language in ("zh", "en"):
            with TemporaryDirectory() as state, TemporaryDirectory() as other:
                async with (
                    running_till(Path(state), **SHOP) as till,
                    running_till(Path(other), **MACHINE) as machine,
                    opened_page(browser, viewport=size) as page,
                    opened_page(browser, viewport=size) as side,
                ):
                    for drawn in (
                        machine_scenes(machine, side, language),
                        scenes(till, page, side, language),
                    ):
                        async for name, shown in drawn:
                            await album.take(shown, f"till-{name}-{language}")


async def draw_wallet(album: Album) -> None:
    """All screens of the wallet, in both languages."""
    async with started_browser() as browser:
        for language in ("zh", "en"):
            with TemporaryDirectory() as state:
                async with (
                    running_phone(Path(state), shop=SHOP[f"merchant_{language}"]) as phone,
                    opened_page(browser, viewport=dict(PHONE), ignore_https_errors=True) as page,
                ):
                    async for name, shown in wallet_scenes(phone, page, language):
                        await album.take(shown, f"wallet-{name}-{language}")


async def draw_console(album: Album) -> None:
    """The console's screens, in both languages, as a desk's screen shows them, some also as a
    phone does."""
    async with started_browser() as browser:
        for language in ("zh", "en"):
            with TemporaryDirectory() as state, TemporaryDirectory() as other:
                async with (
                    console_scenes.running_console(Path(state)) as console,
                    opened_page(browser, viewport=dict(LARGE), ignore_https_errors=True) as page,
                ):
                    async for name in console_scenes.scenes(console, page, language):
                        await album.take(page, f"console-{name}-{language}", full_page=True)
                        if name in NARROW:
                            await page.set_viewport_size(PHONE)
                            await album.take(page, f"console-{name}-narrow-{language}")
                            await page.set_viewport_size(LARGE)
                    for drawn in (
                        console_scenes.opening_scene(Path(other), page, language),
                        console_scenes.status_scene(console, page, language),
                    ):
                        async for name in drawn:
                            await album.take(page, f"console-{name}-{language}", full_page=True)


async def draw_front(album: Album, url: str) -> None:
    """The front page at every step of its guide, in both languages."""
    async with started_browser() as browser:
        for language in ("zh", "en"):
            async with opened_page(browser, viewport=dict(LARGE)) as page:
                async for name in front_scenes.scenes(page, url, language):
                    await album.take(page, f"front-{name}-{language}", full_page=True)
                    if name in FRONT_NARROW:
                        await page.set_viewport_size(PHONE)
                        await album.take(page, f"front-{name}-narrow-{language}")
                        await page.set_viewport_size(LARGE)


async def draw_bench(album: Album) -> None:
    """The tester's bench over a counter's board, and the other boards, in both languages."""
    async with started_browser() as browser:
        for language in ("zh", "en"):
            for board, drawn in bench_scenes.BOARDS.items():
                with (
                    TemporaryDirectory() as state,
                    running_sim(Path(state), board, program=MARKED) as sim,
                ):
                    async with opened_page(browser, viewport=dict(LARGE), has_touch=False) as page:
                        async for name in drawn(page, sim, language):
                            await album.take(page, f"bench-{name}-{language}")


def keep(png: bytes, path: Path) -> None:
    """With few colours, so that a picture has few bytes."""
    with Image.open(io.BytesIO(png)) as image:
        few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


@contextmanager
def checkout() -> Iterator[Path]:
    """A folder to work in with the programs in its own ``.venv``, as a newcomer has it."""
    with TemporaryDirectory() as place, chdir(place):
        venv = Path(place) / ".venv"
        venv.symlink_to(sys.prefix)
        inner = Path(sys.executable).relative_to(sys.prefix)
        with patch.object(sys, "executable", str(venv / inner)):
            yield Path(place)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pattern", nargs="?", default="*")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--large", action="store_true", help="1280×800")
    chosen = parser.parse_args()
    size = {"width": 1280, "height": 800} if chosen.large else dict(SMALL)
    album = Album(chosen.pattern, chosen.out.absolute())
    album.folder.mkdir(parents=True, exist_ok=True)
    face = chosen.pattern.partition("-")[0]
    with marked_templates():
        if fnmatch("till", face):
            asyncio.run(draw_till(album, size))
        if fnmatch("wallet", face):
            asyncio.run(draw_wallet(album))
        if fnmatch("console", face):
            asyncio.run(draw_console(album))
        if fnmatch("bench", face):
            asyncio.run(draw_bench(album))
        if fnmatch("front", face):
            with (
                checkout() as here,
                running_stack(here / "var" / "up", Ports(), print) as stack,
                Supervisor(stack, print, stack.root / "logs") as supervisor,
                front_page(shop_of(stack, supervisor), 0) as url,
            ):
                asyncio.run(draw_front(album, url))
    album.close()


if __name__ == "__main__":
    main()
