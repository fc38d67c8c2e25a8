"""A model card, which anybody may have written, as HTML that carries none of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from huggingface_hub.repocard import REGEX_YAML_BLOCK
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from components.figures.markup import Markup

_DEEPER = 2  # the page has headings of its own


class _Renderer(RendererHTML):
    """Leaves out raw HTML and pictures, which would be fetched from elsewhere; links open a new tab."""

    def html_block(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return ""

    def html_inline(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return ""

    def image(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return str(Markup("<i>{}</i>").format(tokens[index].content))

    def link_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        tokens[index].attrs |= {"target": "_blank", "rel": "noopener nofollow"}
        return self.renderToken(tokens, index, options, env)

    def heading_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        tokens[index].tag = f"h{min(6, int(tokens[index].tag[1]) + _DEEPER)}"
        return self.renderToken(tokens, index, options, env)

    heading_close = heading_open


_MARKDOWN = MarkdownIt("commonmark", renderer_cls=_Renderer).enable("table")


def model_card(text: str) -> Markup:
    """Markdown as the Hub has it; the block of metadata at its start is left out."""
    front = REGEX_YAML_BLOCK.match(text)
    return Markup('<div class="model-card">{}</div>').format(
        Markup(_MARKDOWN.render(text[front.end() :] if front else text))
    )
