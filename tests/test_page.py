"""The page, in a real browser."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("STALLCHECK_BROWSER") == "required":
            pytest.fail("no Chromium on this machine, and STALLCHECK_BROWSER says that one is required")
        pytest.skip("no Chromium on this machine: install the package chromium to test the page")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    context = browser.new_context(accept_downloads=True, permissions=["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """The page, which asks nothing of other hosts and logs no error."""
    page = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    yield page
    own = (address, "data:", "blob:", "https://example.org/")  # the last one is what a test tries in vain
    assert [url for url in asked if not url.startswith(own)] == []
    assert [line for line in errors if "422" not in line and "example.org" not in line] == []


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"runOnly": tags}).response["violations"]
    return [f"{each['id']}: {[node['html'] for node in each['nodes']][:3]}" for each in found]


def test_a_verdict_as_one_types(page: Page) -> None:
    page.keyboard.type("It's great 👍 but 20% over what we pay now")  # the box has the focus
    expect(page.locator("#headline")).to_have_text("objection · price")
    expect(page.locator("#said")).to_contain_text("objection · price")
    marks = page.locator("#marked mark.objection").all_inner_texts()
    assert marks
    assert page.locator("#marked").inner_text() == "It's great 👍 but 20% over what we pay now"
    assert page.locator("#bars meter").count() == 3
    expect(page.locator("#response")).to_contain_text("Compared with what does it look high?")
    page.locator("#text").fill("")
    expect(page.locator("#verdict")).to_be_hidden()


def test_pasting_a_mixed_message_shows_its_pieces(page: Page) -> None:
    page.evaluate(
        'navigator.clipboard.writeText("It\'s over our budget this year. Let me talk to my partner first.")'
    )
    page.locator("#text").press("Control+V")
    expect(page.locator("#segments li")).to_have_count(2)
    expect(page.locator("#segments li").first).to_contain_text("objection")


def test_the_question_and_the_replies_can_be_copied(page: Page) -> None:
    page.locator("#text").fill("let me think about it")
    page.get_by_role("button", name="Copy the question").click()
    expect(page.get_by_role("button", name="Copied the question")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "Which part would you want to feel surer about?"
    assert page.locator(".reply").count() == 3


def test_the_same_stall_again_changes_the_advice(page: Page) -> None:
    page.locator("#text").fill("let me think about it")
    expect(page.locator("#response")).not_to_contain_text("Again")
    page.locator("#history").select_option("1")
    expect(page.locator("#response")).to_contain_text("Again")


def test_a_wrong_verdict_is_corrected(page: Page, home: Path) -> None:
    page.locator("#text").fill("we shall see what the harvest brings")
    page.locator("#correct summary").click()
    page.locator("#right").select_option("objection")
    page.locator("#right-kind").select_option("timing_reason")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("#recorded")).to_contain_text("stallcheck train")
    kept = (home / "corrections.csv").read_text(encoding="utf-8-sig")
    assert "we shall see what the harvest brings,objection,timing_reason" in kept


def test_recent_texts_stay_in_the_browser_and_can_be_erased(page: Page) -> None:
    page.locator("#text").fill("not this year")
    expect(page.locator("#verdict")).to_be_visible()
    page.locator("#clear").click()
    page.reload()
    page.locator("#recent summary").click()
    page.get_by_role("button", name="not this year").click()
    expect(page.locator("#verdict")).to_be_visible()
    page.locator("#forget").click()
    expect(page.locator("#recent-list li")).to_have_count(0)
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("name", ["crm_export.csv", "crm_export.xlsx"])
def test_a_file_is_labelled_and_downloaded(page: Page, name: str, tmp_path: Path) -> None:
    page.get_by_role("tab", name="A file").click()
    page.locator("#upload").set_input_files(SAMPLES / name)
    expect(page.locator("#column")).to_have_value("Call Notes")
    assert page.locator("#rows tr").count() == 6
    page.get_by_role("button", name="Label it").click()
    expect(page.locator("#file-said")).to_contain_text("rows labelled", timeout=30_000)
    expect(page.locator("#shares")).to_contain_text("objection")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the labelled file").click()
    waiting.value.save_as(tmp_path / "out")
    assert waiting.value.suggested_filename == name.replace(".", ".labelled.")
    assert (tmp_path / "out").stat().st_size > (SAMPLES / name).stat().st_size / 2


def test_a_dropped_file_and_a_wrong_one(page: Page) -> None:
    page.get_by_role("tab", name="A file").click()
    drop = """(name) => {
        const data = new DataTransfer();
        data.items.add(new File(["id,Notes\\n1,let me think about it\\n2,too dear for us\\n"], name));
        const how = { dataTransfer: data, bubbles: true, cancelable: true };
        document.getElementById("drop").dispatchEvent(new DragEvent("drop", how));
    }"""
    page.evaluate(drop, "notes.csv")
    expect(page.locator("#column")).to_have_value("Notes")
    page.evaluate(drop, "notes.pdf")
    expect(page.locator("#problem")).to_contain_text("notes.pdf")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.keyboard.type("send me an email")
    expect(page.locator("#headline")).to_have_text("stall · send info")
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim().slice(0, 20)"))
    assert {"Copy the question", "Copy for a call", "Wrong?", "Clear"} <= reached
    page.locator("#tab-words").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#file")).to_be_visible()
    expect(page.locator("#tab-file")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#words")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_against_wcag_at_any_width_in_either_theme(page: Page, theme: str, width: int) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("#text").fill("I love it, but it's over our budget this year. Let me talk to my partner.")
    expect(page.locator("#verdict")).to_be_visible()
    page.locator("#correct summary").click()
    page.locator("#recent summary").click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("tab", name="A file").click()
    page.locator("#upload").set_input_files(SAMPLES / "crm_export.csv")
    expect(page.locator("#preview")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_policy_would_forbid_other_hosts(page: Page) -> None:
    blocked = page.evaluate("fetch('https://example.org/').then(() => 'reached', () => 'blocked')")
    assert blocked == "blocked"


def test_a_server_that_went_away_is_told(context: BrowserContext, serve) -> None:
    page = context.new_page()
    with serve() as address:
        page.goto(address)
    page.locator("#text").fill("let me think about it")
    expect(page.locator("#problem")).to_contain_text("is stallcheck still running?")


def test_the_documentation_works_offline(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}docs")
    expect(page.get_by_text("Verdicts on texts")).to_be_visible()
    assert [url for url in asked if not re.match(rf"{re.escape(address)}|data:", url)] == []
