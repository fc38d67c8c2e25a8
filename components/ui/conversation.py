"""An input for the turns of a conversation, as text that can be edited."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components import texts
from components.ui.page import TextInput

TEXTS = texts.beside(__file__)

_NAMES = {"system": "System", "user": "User", "assistant": "Assistant"}
_TURN = re.compile(r"^(System|User|Assistant):[ \t]*", re.MULTILINE)
# A line of a turn that would begin one of its own has a backslash before it.
_ESCAPED = re.compile(r"^\\(\\*(?:System|User|Assistant):)", re.MULTILINE)
_TO_ESCAPE = re.compile(r"^(\\*(?:System|User|Assistant):)", re.MULTILINE)

Turn = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ConversationInput(TextInput):
    """Turns that begin with who says them, such as "User:"; what comes before the first is a user's."""

    @property
    def hint(self) -> str:
        return TEXTS["hint"]

    def parse(self, form_values: str) -> object:
        if not form_values.strip():
            return []
        before, *parts = _TURN.split(form_values)
        turns = [("User", before)] if before.strip() else []
        turns += zip(parts[::2], parts[1::2], strict=True)
        return [
            {"role": name.lower(), "content": _ESCAPED.sub(r"\1", content.strip("\n").rstrip(" "))}
            for name, content in turns
        ]

    def show(self, value: Any) -> str:
        return show(value)


def show(turns: Sequence[Turn]) -> str:
    """The text that `ConversationInput` reads as these turns."""
    escaped = [(turn["role"], _TO_ESCAPE.sub(r"\\\1", turn["content"])) for turn in turns]
    return "\n".join(f"{_NAMES[role]}: {content}" for role, content in escaped)


def joined(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request as the API takes it: with earlier turns, the prompt is the last of them."""
    turns, prompt = request.get("messages") or [], request.get("prompt") or ""
    rest = {name: value for name, value in request.items() if name != "messages"}
    if not turns:
        return rest
    last = [{"role": "user", "content": prompt}] if prompt.strip() else []
    return {**rest, "prompt": "", "messages": [*turns, *last]}


def parted(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request as the page has it: the last turn in the box for the prompt, those before it in another."""
    turns = request.get("messages") or []
    if not turns:
        return dict(request)
    return {**request, "prompt": turns[-1]["content"], "messages": turns[:-1]}
