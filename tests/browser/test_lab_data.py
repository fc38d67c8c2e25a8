"""The lab's first tab: a visitor's data, from the file to what is known of it."""

from __future__ import annotations

import gzip
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.conftest import OpenPage
from tests.browser.tour import PATIENCE, check_accessible

READ = PATIENCE  # a process is started for it
HOSTILE = '<img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def lab(keep_open: Callable[[str], Page]) -> Page:
    """A visitor who is here for the first time, and stays for the tests below."""
    page = keep_open("/lab")
    expect(rows(page)).to_have_count(25, timeout=READ)
    return page


def rows(page: Page) -> Locator:
    return page.locator("#lab-rows tbody tr")


def bring(page: Page, file: Path) -> None:
    if not page.locator("#lab-file").is_visible():
        page.get_by_label("A file of my own").check()
    page.locator("#lab-file input[type=file]").set_input_files(file)


def pick(page: Page, where: str, option: str) -> None:
    page.locator(f"#{where}").get_by_role("combobox").or_(page.locator(f"#{where} input")).first.click()
    page.get_by_role("option", name=option, exact=True).click()


def moods(folder: Path, count: int = 60) -> Path:
    file = folder / f"my moods {HOSTILE.replace('/', '')}.csv"
    lines = [["number", "message", "mood"]]
    lines += [[str(at), f"Message {at} {HOSTILE}", ("good", "bad", "ugly")[at % 3]] for at in range(count)]
    file.write_text("".join(";".join(line) + "\n" for line in lines))
    return file


def test_the_example_set_is_there_at_once_and_can_be_searched(lab: Page) -> None:
    expect(lab.locator("#lab-about-data")).to_contain_text("600 rows: 420 train, 90 validation, 90 test")
    lab.locator("#lab-search textarea, #lab-search input").fill("FLOWERS")
    expect(lab.locator("#lab-rows mark").first).to_have_text(re.compile("flowers", re.IGNORECASE))
    found = rows(lab).count()
    pick(lab, "lab-filter-class", "anger")
    expect(lab.locator("#lab-rows")).to_contain_text("steals flowers")
    assert rows(lab).count() <= found
    lab.locator("#lab-search textarea, #lab-search input").fill("")
    expect(lab.locator("#lab-rows")).to_contain_text("100 rows, page 1 of 4")
    pick(lab, "lab-sort", "length")
    lab.get_by_label("Largest first").check()
    expect(rows(lab).first).to_contain_text("characters)")  # of a text that is not drawn as a whole
    lab.locator("#lab-page-after").click()
    expect(lab.locator("#lab-rows")).to_contain_text("page 2 of 4")


def test_each_section_shows_its_figure(lab: Page) -> None:
    for tab, shown in (
        ("Classes", "#lab-classes .main-svg"),
        ("Lengths", "#lab-words .main-svg"),
        ("Duplicates", "#lab-duplicates .hint"),
        ("Imbalance", "#lab-imbalance td"),
    ):
        lab.locator("#lab-explorer").get_by_role("tab", name=tab, exact=True).click()
        expect(lab.locator(shown).first).to_be_visible()
    check_accessible(lab)


def test_tokens_are_counted_when_asked_for(lab: Page) -> None:
    lab.locator("#lab-explorer").get_by_role("tab", name="Lengths", exact=True).click()
    lab.locator("#lab-count-tokens").click()
    expect(lab.locator("#lab-tokens .shapelayer path")).to_be_attached(timeout=READ)
    expect(lab.locator("#lab-tokens")).to_contain_text("256 tokens at once")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"text,label\ngood,joy\nbad, sad,anger\n", "3 cells in line 3"),
        ("a.csv", pickle.dumps({"text": ["a"]}), "is a pickle"),
        ("a.csv", gzip.compress(b"x" * 1_000_000), "gzip. Unpack it"),
        ("a.parquet", b"PAR1 and nothing else", "Upload it again"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    name: str, content: bytes, words: str, lab: Page, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    bring(lab, file)
    expect(lab.locator("#lab-data-status .problem")).to_contain_text(words, timeout=READ)
    expect(lab.locator("#lab-use")).to_be_hidden()
    expect(lab.locator("#lab-about-data")).to_contain_text("600 rows")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(lab: Page, tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as out:
        out.truncate(200_000_000)
    sent: list[str] = []

    def note(request: Request) -> None:
        sent.append(request.url)

    lab.on("request", note)
    bring(lab, file)
    said = lab.locator("#lab-file-limit .problem")
    expect(said).to_contain_text("large.csv has 200 MB; up to 150 MB are taken. Take a part of its rows")
    lab.remove_listener("request", note)
    assert not [url for url in sent if "upload" in url]
    bring(lab, moods(tmp_path))
    expect(said).to_have_count(0)
    expect(lab.locator("#lab-columns")).to_contain_text("60 rows", timeout=READ)


def test_a_wrong_separator_is_told_and_put_right(lab: Page, tmp_path: Path) -> None:
    bring(lab, moods(tmp_path, 48))  # not as many as in the file before it
    expect(lab.locator("#lab-columns")).to_contain_text("48 rows", timeout=READ)
    lab.locator("#lab-settings button").first.click()
    expect(lab.locator("#lab-read-again")).to_be_visible()
    lab.evaluate("() => new Promise((done) => requestIdleCallback(done))")
    pick(lab, "lab-separator", "comma")
    lab.locator("#lab-read-again").click()
    problem = lab.locator("#lab-data-status .problem")
    expect(problem).to_contain_text("Set the separator to semicolon", timeout=READ)
    expect(lab.locator("#lab-use")).to_be_hidden()
    pick(lab, "lab-separator", "semicolon")
    lab.locator("#lab-read-again").click()
    expect(lab.locator("#lab-columns")).to_contain_text("48 rows", timeout=READ)
    expect(problem).to_have_count(0)


def test_labels_that_are_numbers_of_rows_are_refused(lab: Page, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,text\n" + "".join(f"{at},text {at}\n" for at in range(200)))
    bring(lab, file)
    expect(lab.locator("#lab-columns")).to_contain_text("200 rows", timeout=READ)
    pick(lab, "lab-role-label", "id (int64)")
    lab.locator("#lab-use").click()
    expect(lab.locator("#lab-data-status .problem")).to_contain_text("looks like an identifier")


def test_a_file_becomes_the_data_of_its_visitor_alone(lab: Page, open_page: OpenPage, tmp_path: Path) -> None:
    bring(lab, moods(tmp_path))
    expect(lab.locator("#lab-columns")).to_contain_text("60 rows read as table", timeout=READ)
    expect(lab.locator("#lab-columns")).to_contain_text(HOSTILE)
    expect(lab.locator("#lab-role-text input")).to_have_value("message (60 values)")
    expect(lab.locator("#lab-role-label input")).to_have_value("mood (3 values)")
    check_accessible(lab)
    lab.locator("#lab-use").click()
    expect(lab.locator("#lab-about-data")).to_contain_text("60 rows: 42 train, 9 validation, 9 test")
    expect(lab.locator("#lab-about-data")).to_contain_text("seed 0")
    expect(lab.locator("#lab-draft")).to_be_hidden()
    expect(lab.locator("#lab-rows")).to_contain_text(HOSTILE)
    lab.reload()
    expect(lab.locator("#lab-about-data")).to_contain_text("60 rows")
    lab.get_by_label("The example set").check()
    expect(lab.locator("#lab-about-data")).to_contain_text("600 rows")
    other = open_page("/lab", elsewhere=True)
    expect(other.locator("#lab-about-data")).to_contain_text("600 rows", timeout=READ)


def test_an_address_that_is_not_asked_says_why(page: Page, subtests: pytest.Subtests) -> None:
    page.goto("/lab")
    page.get_by_label("A file at an address").check()
    for address, words in (
        ("https://127.0.0.1/a.csv", "public internet"),
        ("http://example.org/a.csv", "https://"),
        ("https://nobody.invalid/a.csv", "There is no host"),
    ):
        with subtests.test(address):
            page.locator("#lab-address textarea, #lab-address input").fill(address)
            page.locator("#lab-address-look").click()
            expect(page.locator("#lab-address-found .problem")).to_contain_text(words)
            expect(page.locator("#lab-address-fetch")).to_be_hidden()
