"""How pages drive work that comes step by step: one way for what goes wrong to be shown."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from components.figures import status
from components.figures.markup import Markup
from components.models.errors import TourError

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """Why there is no answer, in words for the visitor."""

    figure: Markup


def driven(what: str, work: Callable[[], Iterator[T]]) -> Iterator[T | Problem]:
    """The steps of `work`; what goes wrong ends them with a `Problem`.

    An error that is not the visitor's is logged under a number that the visitor is told.
    """
    try:
        yield from work()
    except TourError as error:
        yield Problem(status.problem(error.message))
    except Exception:
        incident = secrets.token_hex(4)
        logger.exception("%s failed, incident %s", what, incident)
        yield Problem(status.broken(incident))
