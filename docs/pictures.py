"""Draw the pictures that the README shows: the terminal card and the page.

Usage: python docs/pictures.py     (needs Chromium, and pip install '.[web]' playwright)
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.text import Text

import classifier
from classifier.cli.card import card

HERE = Path(__file__).parent
WORDS = "I love it, but it's about 20% over what we pay now. Let me talk to my partner first."
WIDTHS = (360, 768, 1280)


def main() -> None:
    """Write card.svg, page.png, and page-WIDTH-THEME.png for each width and theme with ``--all``."""
    draw_card(HERE / "card.svg")
    command = [sys.executable, "-m", "classifier", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+/", server.stdout.readline())
        assert found is not None
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            draw_page(browser, found[0], HERE / "page.png", 820, "light")
            for width in WIDTHS if "--all" in sys.argv else ():
                for theme in ("light", "dark"):
                    draw_page(browser, found[0], HERE / f"page-{width}-{theme}.png", width, theme)
            browser.close()
        server.terminate()


def draw_card(path: Path) -> None:
    """The card of one verdict as the terminal shows it."""
    console = Console(record=True, width=84, file=io.StringIO(), color_system="standard")
    console.print(f'$ stallcheck predict "{WORDS}"\n', highlight=False)
    console.print(Text.from_ansi(card(classifier.load()(WORDS), colour=True)))
    path.write_text(console.export_svg(title="stallcheck"), encoding="utf-8")


def draw_page(browser: Browser, address: str, path: Path, width: int, theme: str) -> None:
    """The page after the words were pasted."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    page.goto(address)
    page.locator("#text").fill(WORDS)
    page.locator("#headline").wait_for()
    page.screenshot(path=path, full_page=True)
    page.close()


if __name__ == "__main__":
    main()
