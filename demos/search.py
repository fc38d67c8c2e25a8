"""What the search of the header finds: pages, their sections, tours, checkpoints and examples, each a link.

All of it comes from the lists that the pages themselves are made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.insight.anatomy import TASK as ANATOMY
from components.insight.attention import TASK as ATTENTION
from components.insight.attribution import TASK as ATTRIBUTION
from components.insight.layers import TASK as LAYERS
from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint
from components.tasks.task import Operation
from components.ui import links
from components.ui.page import Json, PlainPage, TaskPage
from demos import api, examples, lab, story, tours

INSPECTED: Mapping[str, Operation] = {
    links.ATTENTION_PAGE: ATTENTION,
    links.ATTRIBUTION_PAGE: ATTRIBUTION,
    links.LAYERS_PAGE: LAYERS,
    links.ANATOMY_PAGE: ANATOMY,
}
LONGEST = 100  # characters of a text in a result


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`kind` groups the results, `about` says more and is searched too, `href` is seen from any page."""

    kind: str
    title: str
    about: str
    href: str


def entries(
    pages: Sequence[TaskPage | PlainPage], operations: Sequence[Operation], catalog: Catalog
) -> list[Entry]:
    found = [*_pages(pages), *_tours(), *_sections(operations)]
    for page in pages:
        if isinstance(page, TaskPage):
            found += _task_page(page, catalog)
    return [*found, *_inspections(), *(_card(one) for one in catalog)]


def _pages(pages: Sequence[TaskPage | PlainPage]) -> Iterator[Entry]:
    yield Entry(kind="Page", title="Home", about="One text through every task.", href="./")
    for page in pages:
        yield Entry(kind="Page", title=page.title, about=page.sentence, href=f"./{page.slug}")
    yield Entry(kind="Page", title=api.TITLE, about=api.SENTENCE, href=f"./{api.SLUG}")
    yield Entry(kind="Page", title=tours.TITLE, about=tours.SENTENCE, href=f"./{tours.SLUG}")


def _tours() -> Iterator[Entry]:
    for guide in tours.tours():
        for number, stop in enumerate(guide.stops, 1):
            about = f"{guide.title}, stop {number}"
            yield Entry(kind="Tour", title=stop.title, about=about, href=guide.address(number))


def _sections(operations: Sequence[Operation]) -> Iterator[Entry]:
    for place, title in story.PLACES.items():
        yield Entry(kind="Section", title=title, about=story.PAGE.title, href=f"./{story.SLUG}#{place}")
    for milestone in story.STORY["milestones"]:
        about = f"{milestone['year']}: {milestone['title']}"
        href = f"./{story.SLUG}#{milestone['id']}"
        yield Entry(kind="Section", title=milestone["name"], about=about, href=href)
    for tab, (title, _) in lab.TABS.items():
        yield Entry(
            kind="Section", title=title, about=lab.PAGE.title, href=links.page_link(lab.SLUG, tab=tab)
        )
    for one in operations:
        yield Entry(
            kind="Section", title=one.title, about=f"API: {one.name}", href=f"./{api.SLUG}#{one.name}"
        )


def _task_page(page: TaskPage, catalog: Catalog) -> Iterator[Entry]:
    """Its examples, and its checkpoints with the first of them; what has to be downloaded is not run."""
    stored = examples.load(page.task)
    for one in stored:
        request = {**one.payload, "model": one.answer["model"]}
        about = f"{page.title}: {_short(next(iter(_shown(page, request).values())))}"
        yield Entry(kind="Example", title=one.label, about=about, href=_link(page, request, run=True))
    for checkpoint in catalog.for_task(page.task.name):
        request = {**stored[0].payload, "model": checkpoint.id}
        about = f"{page.title} with {checkpoint.id}"
        href = _link(page, request, run=checkpoint.embedded)
        yield Entry(kind="Checkpoint", title=checkpoint.title, about=about, href=href)


def _inspections() -> Iterator[Entry]:
    for slug, operation in INSPECTED.items():
        for one in examples.load(operation):
            query = {name: str(value) for name, value in one.payload.items() if value != ""}
            about = f"{operation.title}: {_short(query['text'])}"
            yield Entry(
                kind="Example", title=one.label, about=about, href=links.page_link(slug, **query, run="1")
            )


def _card(one: Checkpoint) -> Entry:
    return Entry(
        kind="Model card", title=one.title, about=f"{one.id}. {one.about}", href=links.card_link(one.id)
    )


def _shown(page: TaskPage, request: Json) -> dict[str, str]:
    """A request as the page's boxes have it."""
    return {
        name: page.inputs[name].show(value) if name in page.inputs else str(value)
        for name, value in page.parted(request).items()
    }


def _link(page: TaskPage, request: Json, *, run: bool) -> str:
    """The page with a request filled in; empty where that is too long for an address."""
    link = links.page_link(page.slug, **_shown(page, request), **({"run": "1"} if run else {}))
    return link if len(link) <= links.LONGEST_LINK else f"./{page.slug}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST].rsplit(' ', 1)[0]} …"
