"""What the story tells: in order, and with links that their pages understand."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.insight import challenges as insight
from components.models.catalog import load_catalog
from components.models.checkpoint import HubSource
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks.fields import option_fields
from components.tasks.runner import Runner
from components.ui import options
from components.ui.page import TaskPage
from demos import PAGES, challenges, layers, story, tokenizers

CATALOG = load_catalog()
SHOWN = (
    *story.STORY["milestones"],
    *story.STORY["architectures"],
    *({"id": name, **one} for part in ("recurrence", "transfer") for name, one in story.STORY[part].items()),
    *({"id": one["name"], "links": [one["link"]]} for one in story.STORY["ecosystem"]["libraries"]),
)
LINKS = [
    pytest.param(
        link["page"], link.get("query", {}), id=f"{one.get('id', one.get('family'))}: {link['label']}"
    )
    for one in SHOWN
    for link in one.get("links", ())
]
# What links to the pages that are not a task's may set; the attention page's script reads the rest.
ATTENTION = {"text", "text_pair", "model", "view", "kind", "layer", "head", "words", "special"}
KNOWN = {
    "attention": ATTENTION,
    "anatomy": {"text", "text_pair", "model", "tab", "stage"},
    "tokenizers": set(tokenizers.NAMES),
    "models": {"card"},
    "lab": {"tab"},
    "story": set(),
}


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A runner that is asked for nothing but whether requests are valid."""
    registry = Registry(CATALOG, Settings(cache_dir=tmp_path_factory.mktemp("cache")))
    yield Runner(registry, "embedded")
    registry.close()


@pytest.mark.parametrize(("slug", "query"), LINKS)
def test_links_are_requests_that_their_pages_understand(
    slug: str, query: Mapping[str, str], parser: Runner
) -> None:
    given = {name: value for name, value in query.items() if name != "run"}
    page = layers.ASKING if slug == layers.SLUG else next(page for page in PAGES if page.slug == slug)
    if isinstance(page, TaskPage):
        parser.parse(page.task, payload(page, given))
    else:
        assert given.keys() <= KNOWN[slug]
        for id in itertools.chain.from_iterable(given.get(one, "").split(",") for one in ("model", "card")):
            assert not id or id in CATALOG
        for id in given.get("tokenizers", "").split(","):
            assert not id or CATALOG[id].body is None


@pytest.mark.parametrize(("slug", "query"), LINKS)
def test_a_link_runs_only_what_needs_no_hub(slug: str, query: Mapping[str, str]) -> None:
    if query.get("run"):
        assert not isinstance(CATALOG[query["model"]].source, HubSource)


def payload(page: TaskPage, query: Mapping[str, str]) -> dict[str, Any]:
    """A link's query as a request, the way the page reads it; an unknown name stays, to be refused."""
    kinds = {field.name: field for field in option_fields(page.task.options)}
    return {
        name: page.inputs[name].parse(value)
        if name in page.inputs
        else options.from_link(kinds[name], value)
        if name in kinds
        else value
        for name, value in query.items()
    }


def test_milestones_are_in_the_order_of_their_years() -> None:
    years = [one.year for one in story.milestones(CATALOG)]
    assert years == sorted(years)


def test_a_link_ends_with_one_milestone_or_section() -> None:
    ids = [one.id for one in story.milestones(CATALOG)]
    assert len({*ids, *story.PLACES}) == len(ids) + len(story.PLACES)
    assert all(re.fullmatch("[a-z0-9-]+", id) for id in ids)
    assert story.FIRST in ids


def test_every_milestone_has_a_family_and_every_preprint_an_identifier() -> None:
    for one in story.milestones(CATALOG):
        assert one.family in story.STORY["families"]
        assert not one.arxiv or 0 <= one.year - 2000 - int(one.arxiv[:2]) + 1 <= 1
        assert re.fullmatch(r"(\d{4}\.\d{4,5})?", one.arxiv)


def test_every_checkpoint_is_of_one_family() -> None:
    members = [story.members(one, CATALOG) for one in story.STORY["architectures"]]
    assert sorted(one.id for each in members for one in each) == sorted(one.id for one in CATALOG)


def test_what_is_fetched_first_is_said() -> None:
    notes = {link.href: link.note for one in story.milestones(CATALOG) for link in one.links}
    for href, note in notes.items():
        assert bool(note) == ("%2F" in href.partition("model=")[2]), href


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.5, "0.5 seconds"), (119, "120 seconds"), (16_200, "4.5 hours"), (3.2e10, "1,000 years")],
)
def test_times_are_said_in_the_unit_that_suits(seconds: float, said: str) -> None:
    assert story.span(seconds) == said


def test_the_lab_is_a_page() -> None:
    assert Path(story.LAB).name in {page.slug for page in PAGES}


def test_a_link_within_the_page_leads_to_a_place_of_it() -> None:
    places = [link["place"] for one in SHOWN for link in one.get("links", ()) if "place" in link]
    assert places
    assert {*places} <= {*story.PLACES, challenges.FEW_LABELS}


def test_everything_that_is_drawn_has_a_way_to_try_it() -> None:
    drawn = [one for part in ("recurrence", "transfer") for one in story.STORY[part].values()]
    assert len(drawn) == 5
    assert all(one["links"] for one in drawn)
    for row in story.STORY["recurrence"]["attention"]["weights"]:
        assert sum(row) == pytest.approx(1)


def test_every_challenge_is_an_experiment() -> None:
    assert {*challenges.ORDER} == {*challenges.MEASURES, challenges.FEW_LABELS}
    for name, (_, draw) in challenges.MEASURES.items():
        stored = insight.stored(name)
        assert stored["share"] == 1, (
            f"{name} was stored half way: python -m tests.benchmarks.challenges --keep"
        )
        assert len(draw(stored)) > 100
    texts = challenges.boxes("languages").values()
    assert [row["text"] for row in insight.stored("languages")["rows"]] == "\n".join(texts).splitlines()
