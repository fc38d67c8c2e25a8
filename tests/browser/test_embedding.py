"""README's frame in somebody's documentation: the answer is what a reader sees first."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from components.ui.page import TaskPage
from demos import attention, layers
from demos.anatomy.context import SLUG as ANATOMY
from demos.api import SLUG as API
from tests.browser.conftest import OpenPage
from tests.browser.tour import PATIENCE, TASK_PAGES
from tests.server import ROOT

SIZES = [(760, 640), (360, 560), (1100, 700)]
[README_CODE] = re.findall(r"```html\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documentation")


@pytest.fixture(scope="module")
def other_site(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def framed(
    folder: Path, name: str, app_url: str, slug: str, theme: str, size: tuple[int, int], *, grows: bool
) -> None:
    """README's code about another page, in a column of some width."""
    code = README_CODE.replace("fill-mask", slug).replace("light", theme)
    code = code.replace("http://127.0.0.1:7860", app_url)
    if not grows:
        code = re.sub(r"<script.*</script>", "", code, flags=re.DOTALL)
    code = code.replace('height="640"', f'height="{size[1]}"')
    (folder / name).write_text(
        f'<!doctype html><title>Docs</title><link rel="icon" href="data:,"><body style="background: #fdf6e3">'
        f'<div style="width: {size[0]}px">{code}</div>'
    )


@pytest.mark.parametrize(
    ("spec", "theme"),
    [(spec, ("light", "dark")[index % 2]) for index, spec in enumerate(TASK_PAGES)],  # no page has its own
    ids=lambda value: value if isinstance(value, str) else value.slug,
)
def test_the_answer_is_seen_without_scrolling(
    open_page: OpenPage, other_site: str, folder: Path, app_url: str, spec: TaskPage, theme: str
) -> None:
    name = f"{spec.slug}.html"  # a browser may keep a file that another test replaces within a second
    framed(folder, name, app_url, spec.slug, theme, SIZES[0], grows=False)
    page = open_page(f"{other_site}/{name}", origins=(other_site,))
    frame = page.frame_locator("iframe")
    result = frame.locator(f"#{spec.slug}-result .answered")
    expect(result).to_be_visible()
    assert frame.locator("body.dark").count() == (theme == "dark")
    for surroundings in frame.locator("#tour-header, .nav-holder, footer").all():
        expect(surroundings).to_be_hidden()
    for width, height in SIZES:
        page.locator("iframe").evaluate(
            "(one, size) => { one.parentElement.style.width = size[0] + 'px'; one.height = size[1]; }",
            [width, height],
        )
        expect(result).to_be_in_viewport()
        box = "(one) => { const box = one.getBoundingClientRect(); return [box.top, box.height]; }"
        top, high = result.evaluate(box)
        # Its beginning, and enough of it to be read: all, or most of the frame.
        assert 0 <= top < 60
        assert min(high, height / 2) <= height - top
        needed, given = frame.locator("body").evaluate(
            "(one) => [one.ownerDocument.documentElement.scrollWidth, innerWidth]"
        )
        assert needed <= given
    frame.locator(f"#{spec.slug}-example-1").evaluate("(one) => one.click()")
    expect(frame.locator(f"#{spec.slug}-status .badge")).to_be_visible()


@pytest.mark.parametrize(
    ("slug", "seen"), [(attention.SLUG, "canvas"), (layers.SLUG, ".answered"), (ANATOMY, ".ana-area")]
)
def test_pictures_are_seen_without_scrolling(
    open_page: OpenPage, other_site: str, folder: Path, app_url: str, slug: str, seen: str
) -> None:
    framed(folder, f"{slug}.html", app_url, slug, "light", SIZES[0], grows=False)
    page = open_page(f"{other_site}/{slug}.html", origins=(other_site,))
    drawn = page.frame_locator("iframe").locator(f"#{slug}-view {seen}, #{slug}-result {seen}").first
    expect(drawn).to_be_visible(timeout=PATIENCE)
    assert drawn.evaluate("(one) => one.getBoundingClientRect().top") < SIZES[0][1] / 2


def test_the_frame_is_told_how_high_its_content_is(
    open_page: OpenPage, other_site: str, folder: Path, app_url: str
) -> None:
    spec = TASK_PAGES[0]
    framed(folder, "grows.html", app_url, spec.slug, "light", (760, 200), grows=True)
    page = open_page(f"{other_site}/grows.html", origins=(other_site,))
    frame = page.frame_locator("iframe")
    expect(frame.locator(f"#{spec.slug}-result .answered")).to_be_visible()
    inside = frame.locator("html")
    page.wait_for_function("document.querySelector('iframe').height > 400")
    assert inside.evaluate("(one) => one.scrollHeight <= innerHeight + 1")
    before = page.evaluate("Number(document.querySelector('iframe').height)")
    frame.get_by_role("button", name="Model and options").click()
    page.wait_for_function("(before) => Number(document.querySelector('iframe').height) > before", arg=before)
    expect(frame.locator(f"#{spec.slug}-model")).to_be_visible()


def test_five_pages_in_a_documentation_of_another_origin(
    open_page: OpenPage, other_site: str, folder: Path, app_url: str
) -> None:
    written = (ROOT / "docs" / "embedding.html").read_text("utf-8").replace("http://127.0.0.1:7860", app_url)
    (folder / "five.html").write_text(written)
    page = open_page(f"{other_site}/five.html", origins=(other_site,))
    frames = page.locator("iframe")
    expect(frames).to_have_count(5)
    seen = {
        "tokenizers": "#tokenizers-lanes .lane-token",
        "attention": "#attention-view canvas",
        "fill-mask": "#fill-mask-result .answered",
        "text-classification": "#text-classification-result .answered",
        "named-entities": "#named-entities-result .answered",
    }
    for frame in frames.all():
        slug = urlsplit(frame.get_attribute("src") or "").path.strip("/")
        inside = frame.content_frame
        frame.scroll_into_view_if_needed()
        expect(inside.locator(seen[slug]).first).to_be_visible(timeout=PATIENCE)
        page.wait_for_function(FITS, arg=frame.element_handle())
        assert inside.locator("html").evaluate("(one) => one.scrollHeight <= innerHeight + 1"), slug
        assert inside.locator("html").evaluate("(one) => one.scrollWidth <= innerWidth"), slug
        assert (inside.locator("body.dark").count() == 1) == (slug == "text-classification")
    expect(page.frame_locator("[title=Fill-mask]").locator("textarea").first).to_have_value(
        'The "old" [MASK] <is> closed.'
    )
    # Heights are taken of the frame that they are about, from the app alone.
    heights = "() => [...document.querySelectorAll('iframe')].map((one) => one.height)"
    before = page.evaluate(heights)
    page.evaluate("postMessage({ type: 'transformers-tour:height', height: 9000 }, '*')")
    other = page.evaluate_handle(OTHER_SENDER, app_url)
    page.wait_for_function("(one) => one.dataset.told", arg=other)
    assert page.evaluate(heights)[:5] == before


# A frame's height is what its page has told, and no longer the one in its code.
FITS = "(frame) => frame.height !== '640'"
# A frame of no origin whose address begins as the app's; resolves once its message has arrived.
OTHER_SENDER = """async (app) => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.srcdoc = "<script>parent.postMessage({ type: 'transformers-tour:height', height: 9000 }, '*')<" +
      "/script>";
    const told = new Promise((resolve) => addEventListener("message", ({ source }) => {
      if (source === frame.contentWindow) resolve();
    }));
    document.body.append(frame);
    await told;
    frame.dataset.told = "yes";
    return frame;
}"""


def test_the_code_of_a_frame_holds_the_present_input(
    open_page: OpenPage, other_site: str, folder: Path, app_url: str
) -> None:
    hostile = 'Not "good" & </iframe><script>alert(1)</script> at all'
    spec = TASK_PAGES[0]
    page = open_page(f"/{spec.slug}")
    page.locator(f"#{spec.slug}-text textarea").fill(hostile)
    expect(page.locator(f"#{spec.slug}-result")).to_have_attribute("data-stale", re.compile("earlier text"))
    embed = page.locator(f"#{spec.slug}-embed")
    embed.press("Enter")
    dialog = page.get_by_role("dialog", name="Embed this page")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Theme").focus()
    dialog.get_by_label("Theme").press("d")
    dialog.get_by_label("Height in pixels").fill("555")
    dialog.get_by_role("button", name="Copy code").press("Enter")
    expect(dialog.get_by_role("status")).to_have_text("Code copied.")
    code = page.evaluate("navigator.clipboard.readText()")
    assert code == dialog.get_by_label("Code of the frame").input_value()
    assert 'height="555"' in code
    assert code.count("<script") == 1
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(embed).to_be_focused()

    (folder / "pasted.html").write_text(
        f'<!doctype html><title>Docs</title><link rel="icon" href="data:,">{code}'
    )
    host = open_page(f"{other_site}/pasted.html", origins=(other_site,))
    frame = host.frame_locator("iframe")
    expect(frame.locator(f"#{spec.slug}-text textarea")).to_have_value(hostile)
    expect(frame.locator(f"#{spec.slug}-result .answered")).to_be_visible(timeout=PATIENCE)
    expect(frame.locator("body.dark")).to_have_count(1)
    expect(frame.locator(f"#{spec.slug}-embed")).to_be_hidden()
    host.wait_for_function("document.querySelector('iframe').height !== '555'")


def test_the_script_for_hosts_is_small_and_at_an_address_that_stays(app_url: str) -> None:
    answer = httpx.get(f"{app_url}/embed.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert len(answer.content) <= 2000
    assert "max-age" in answer.headers["cache-control"]


def test_a_link_can_be_copied_or_is_shown(
    open_page: OpenPage, other_site: str, folder: Path, app_url: str
) -> None:
    spec = TASK_PAGES[0]
    framed(folder, "link.html", app_url, spec.slug, "light", SIZES[0], grows=False)
    written = (folder / "link.html").read_text().replace('allow="clipboard-write"', "")
    (folder / "link.html").write_text(written)
    page = open_page(f"{other_site}/link.html", origins=(other_site,))
    frame = page.frame_locator("iframe")
    frame.locator(f"#{spec.slug}-copy-link").click()
    shown = frame.get_by_role("textbox", name="Copy this link")
    expect(shown).to_have_value(re.compile(rf"^{re.escape(app_url)}/{spec.slug}\?"), timeout=PATIENCE)
    expect(shown).to_be_focused()


def test_the_api_page_gives_the_code_of_a_frame(open_page: OpenPage) -> None:
    page = open_page(f"/{API}")
    code = page.get_by_role("region", name="Code of the frame")
    expect(code).to_contain_text("?embed=1&amp;__theme=light")
    page.get_by_role("button", name="Copy: Code of the frame").click()
    assert page.evaluate("navigator.clipboard.readText()") == code.inner_text()
