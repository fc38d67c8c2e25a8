"""Gradio's Blocks, but for what it writes of visitors' values when they do not fit an event."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr

log = logging.getLogger(__name__)


class PrivateBlocks(gr.Blocks):
    """Gradio puts all that an event was sent, tokens and keys too, into the message of an error about it, and
    the message into the log. Here the log gets the event's name and the kind of error.

    Its queue takes `most_waiting` events, and no call goes past it.
    """

    def __init__(self, *, most_waiting: int, **options: Any) -> None:
        self.most_waiting = most_waiting
        self.exited = False  # Gradio says so only after it has asked for the first description
        super().__init__(**options)

    def get_config_file(self) -> Any:
        """Describes every component. While they are put together Gradio asks for it three times, and uses
        none of these."""
        return super().get_config_file() if self.exited else {}

    def queue(self, *arguments: Any, **options: Any) -> Any:
        """From the first, when Gradio makes a queue of its own: each one later builds the server anew."""
        if not arguments:
            # Open, /gradio_api/run would pass the queue by.
            options = {"max_size": self.most_waiting, "api_open": False} | options
        found = super().queue(*arguments, **options)
        push = self._queue.push

        async def pushed(body: Any, *rest: Any, **named: Any) -> Any:
            # Gradio takes an empty name for none in one place and for a name in the other, and breaks.
            body.session_hash = body.session_hash or None
            return await push(body, *rest, **named)

        self._queue.push = pushed  # type: ignore[method-assign]
        return found

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        try:
            super().validate_inputs(block_fn, inputs)
        except ValueError as error:
            raise _unfit(block_fn, error) from None

    async def preprocess_data(self, block_fn: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().preprocess_data(block_fn, *arguments, **options)
        except gr.Error as error:  # which is for the visitor, and quotes them
            error.print_exception = False
            raise
        except Exception as error:  # noqa: BLE001 - components raise anything at values that they never made
            raise _unfit(block_fn, error) from None


def _unfit(block_fn: Any, error: Exception) -> gr.Error:
    log.warning("event %s was sent values that do not fit (%s)", block_fn.name, type(error).__name__)
    return gr.Error("What was sent does not fit this page. Reload the page.", print_exception=False)
