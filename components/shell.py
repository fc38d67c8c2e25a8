"""What a page's HTML holds around the part that scripts build: made by `components/ui`, sent by
`components/serving`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

BASE = "%BASE%"  # in a shell's HTML: the address that visitors reach the app at, without a slash at the end
ASIDE = "%ASIDE%"  # where an `Aside` stands in it


@dataclass(frozen=True, kw_only=True)
class Shell:
    """One page's words for search engines and link previews, and the HTML around what scripts build.

    `picture` is an address below the app's. `head`, `before` and `after` are HTML; `scripts` too,
    which run before those of Gradio.
    """

    title: str
    description: str
    picture: str
    scripts: str
    head: str
    before: str
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class Aside:
    """What is added to one request's page: `head` and `html`; or where to go instead, seen from any page."""

    head: str = ""
    html: str = ""
    elsewhere: str = ""


class Asides(Protocol):
    def aside(self, slug: str, query: Mapping[str, str]) -> Aside | None:
        """For a page and the query of its address."""
