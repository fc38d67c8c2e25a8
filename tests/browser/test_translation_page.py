"""The language that is asked for goes with the model."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from components.models.catalog import load_catalog
from components.tasks.languages import name
from demos import translation
from tests.browser.tour import Visit


def test_a_model_of_one_pair_brings_its_language(page: Page) -> None:
    visit = Visit(page, translation.PAGE).open()
    for model, target in (
        ("Helsinki-NLP/opus-mt-en-fr", "fr"),
        ("facebook/m2m100_418M", "fr"),
        ("Helsinki-NLP/opus-mt-de-en", "en"),
        ("translator-en-de", "de"),
    ):
        visit.pick_model(load_catalog()[model].title)
        expect(visit.box("target")).to_have_value(name(target))


def test_a_link_keeps_its_language(page: Page) -> None:
    visit = Visit(page, translation.PAGE).open(text="Guten Tag.", model="facebook/m2m100_418M", target="ja")
    expect(visit.part("model-about")).to_contain_text("hundred languages")
    expect(visit.box("target")).to_have_value(name("ja"))
