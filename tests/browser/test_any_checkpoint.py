"""What only the Hub has: a checkpoint typed into a page's picker, and the data of a visitor to the lab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from components.lab import corpus
from demos import question_answering, text_classification, text_generation
from tests.browser.conftest import OpenPage
from tests.browser.test_lab_data import READ, rows
from tests.browser.test_story_steps import finished, open_step, part, set_number
from tests.browser.tour import PATIENCE, TRAINS, Visit, check_accessible
from tests.fakes.architectures import ARCHITECTURES
from tests.fakes.hub import FakeHub, running_hub
from tests.server import running_app

SOON = PATIENCE  # the first look-up imports the library
NAMES = ("distilbert-classifier", "gpt2", "roberta-reader")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    root: Path = tmp_path_factory.mktemp("hub")
    repos = {f"someone/{name}": ARCHITECTURES[name].build(root / name) for name in NAMES}
    for id, folder in repos.items():
        (folder / "README.md").write_text(f"---\nlicense: mit\n---\n# The card of {id}\n<b>x</b>\n", "utf-8")
    moods = root / "moods"
    moods.mkdir()
    (moods / "train.csv").write_text("text,label\n" + "a good one,good\na bad one,bad\n" * 20)
    (moods / "test.csv").write_text("text,label\nanother good one,good\nanother bad one,bad\n")
    with running_hub(repos) as hub:
        hub.datasets["owner/moods", "main"] = moods
        yield hub


@pytest.fixture(scope="module")
def app_with_hub(hub: FakeHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(HF_ENDPOINT=hub.endpoint, TOUR_CACHE=str(tmp_path_factory.mktemp("cache"))) as url:
        yield url


def test_any_id_can_be_typed_into_the_picker(open_page: OpenPage, app_with_hub: str) -> None:
    page = open_page(base_url=app_with_hub, origins=(app_with_hub,))
    visit = Visit(page, text_classification.PAGE).open(text="What a day!")
    about = visit.part("model-about")
    for typed, said in (
        ("someone/nothing", "does not exist on the Hub"),
        ("someone/gpt2", "cannot do text classification"),
        ("someone/distilbert-classifier", "to download, "),
    ):
        visit.box("model").fill(typed)
        visit.box("model").press("Enter")
        expect(about).to_contain_text(said, timeout=SOON)
    visit.run()
    assert visit.settled() == "answer", visit.problem.inner_text()
    assert visit.answer()["model"] == "someone/distilbert-classifier"
    expect(visit.part("status")).to_contain_text("someone/distilbert-classifier")
    page.goto(f"{app_with_hub}/{text_classification.PAGE.slug}")
    visit.box("model").click()
    listed = page.get_by_role("option", name="someone/distilbert-classifier · loaded")
    expect(listed).to_be_visible()


def test_a_link_may_name_one(open_page: OpenPage, app_with_hub: str) -> None:
    page = open_page(base_url=app_with_hub, origins=(app_with_hub,))
    query = urlencode({"text": "What a day!", "model": "someone/distilbert-classifier", "run": 1})
    visit = Visit(page, text_classification.PAGE)
    visit.run(lambda: page.goto(f"{app_with_hub}/{text_classification.PAGE.slug}?{query}"))
    assert visit.answer()["model"] == "someone/distilbert-classifier"


def test_any_id_is_a_tokenizer(open_page: OpenPage, app_with_hub: str) -> None:
    page = open_page(base_url=app_with_hub, origins=(app_with_hub,))
    query = urlencode({"text": "What a day!", "tokenizers": "someone/gpt2"})
    page.goto(f"{app_with_hub}/tokenizers?{query}")
    expect(page.locator(".lane-stats")).to_contain_text("byte-level BPE", timeout=SOON)
    picker = page.locator("#tokenizers-picked input").first
    for typed, said in (("someone/roberta-reader", "Both end"), ("someone/nothing", "does not exist")):
        picker.fill(typed)
        picker.press("Enter")
        expect(page.locator(".lane-stats")).to_contain_text(said, timeout=SOON)


def test_one_that_was_typed_is_compared_too(open_page: OpenPage, app_with_hub: str) -> None:
    page = open_page(base_url=app_with_hub, origins=(app_with_hub,))
    visit = Visit(page, text_classification.PAGE).open(text="What a day!", model="someone/gpt2")
    visit.part("compare").locator("button").first.click()
    visit.run(visit.part("compare-models").click)
    columns = visit.part("compared").locator(".column")
    expect(columns).to_have_count(2)
    expect(columns.first).to_contain_text("cannot do text classification")


def test_one_is_searched_for_read_about_and_added(open_page: OpenPage, app_with_hub: str) -> None:
    page = open_page(base_url=app_with_hub, origins=(app_with_hub,))
    page.goto(f"{app_with_hub}/models")
    page.locator("#hub-words textarea, #hub-words input").fill("no such thing")
    page.locator("#hub-search").click()
    expect(page.locator("#hub-said")).to_contain_text("No model matches")
    page.locator("#hub-words textarea, #hub-words input").fill("roberta")
    page.locator("#hub-search").click()
    expect(page.locator("#hub-found label")).to_have_count(1)
    expect(page.locator("#hub-found label")).to_contain_text("mit · 7 downloads")
    page.get_by_role("radio", name="someone/roberta-reader").check()
    expect(page.locator("#hub-about")).to_contain_text(
        re.compile("can do .*Question answering"), timeout=SOON
    )
    expect(page.locator("#hub-card h3")).to_have_text("The card of someone/roberta-reader")
    page.locator("#hub-add").click()
    link = page.locator("#hub-about a", has_text="Question answering")
    expect(link).to_be_visible()
    expect(page.locator('article[data-checkpoint="someone/roberta-reader"]')).to_be_visible()
    link.click()
    visit = Visit(page, question_answering.PAGE)
    expect(visit.box("model")).to_have_value(re.compile("someone/roberta-reader"))
    visit.part("model-about").get_by_role("link", name="model card").click()
    opened = page.context.wait_for_event("page") if len(page.context.pages) < 2 else page.context.pages[-1]
    expect(opened.locator("#models-card h3")).to_have_text("The card of someone/roberta-reader")


@TRAINS
def test_what_was_adapted_goes_on_with_a_text(open_page: OpenPage, app_with_hub: str) -> None:
    page = open_page(base_url=app_with_hub, origins=(app_with_hub,))
    open_step(page, "adaptation", "2 Adapt")
    # Ten passages, of which one is held out: how much there is to learn is not for this test to say.
    passages = corpus.fog_loft().split("\n\n")[:10]
    part(page, "adaptation", "text").locator("textarea").fill("\n\n".join(passages))
    picked = part(page, "adaptation", "model").locator("input")
    picked.fill("someone/gpt2")
    picked.press("Enter")
    set_number(page, "adaptation", epochs=0.5, longest=128, batch=1, learning_rate=0.01)
    result = finished(page, "adaptation")
    values = [float(text) for text in result.locator(".bars .value").all_inner_texts()]
    assert len(values) == 4
    assert values[1] < values[0]  # of what was held out
    check_accessible(page)
    expect(result.get_by_role("link", name="Train a classifier on it")).to_have_attribute(
        "href", re.compile(r"lab\?tab=train&model=local%2F")
    )
    result.get_by_role("link", name="Continue a text").click()
    expect(page).to_have_url(re.compile("text-generation"))
    expect(page.locator("#text-generation-prompt textarea")).to_have_value("Bell 2, bench 3. Drew")
    expect(page.locator("#text-generation-model input")).to_have_value(re.compile("text-adaptation"))
    visit = Visit(page, text_generation.PAGE)
    visit.set_option(next(one for one in visit.options if one.name == "max_new_tokens"), 8)
    visit.run()
    assert visit.settled() == "answer", visit.problem.inner_text()
    expect(visit.part("status").locator(".fact").first).to_contain_text("text-adaptation")


def test_a_data_set_on_the_hub(hub: FakeHub, open_page: OpenPage, app_with_hub: str) -> None:
    page = open_page("/lab", base_url=app_with_hub, origins=(app_with_hub,))
    expect(rows(page)).to_have_count(25, timeout=READ)
    page.get_by_label("A data set on the Hub").check()
    page.locator("#lab-hub-id textarea, #lab-hub-id input").fill("mood")
    page.locator("#lab-hub-look").click()
    page.get_by_label("owner/moods · mit · 1,200 downloads").check()
    expect(page.locator("#lab-hub-listing")).to_contain_text("train, test")
    page.locator("#lab-hub-id textarea, #lab-hub-id input").fill("owner/none")
    page.locator("#lab-hub-look").click()
    expect(page.locator("#lab-hub-listing .problem")).to_contain_text("Check the id")
    page.locator("#lab-hub-id textarea, #lab-hub-id input").fill("owner/moods")
    page.locator("#lab-hub-look").click()
    expect(page.locator("#lab-hub-listing")).to_contain_text("licence: mit")
    expect(page.locator("#lab-hub-listing")).to_contain_text("train, test")
    assert not hub.downloads("train.csv")
    page.locator("#lab-hub-fetch").click()
    expect(page.locator("#lab-columns")).to_contain_text("42 rows", timeout=READ)
    page.locator("#lab-use").click()
    expect(page.locator("#lab-about-data")).to_contain_text("34 train, 6 validation, 2 test")
    expect(page.locator("#lab-about-data")).to_contain_text("from owner/moods")
