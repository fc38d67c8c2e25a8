"""Links that restore a page: its inputs, model and options live in the URL's query, nothing on the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from components import javascript, texts

TEXTS = texts.beside(__file__)

# Gradio gives `page` and `deep_link` a meaning of its own; the rest are ours.
RESERVED = frozenset({"page", "deep_link", "embed", "run", "__theme", "view", "kept", "tour", "present"})

# What a page says once it is filled in from its address, by what `kept` in it says: see `drafts.js`.
FILLED_IN = {
    None: TEXTS["filled_in.link"],
    "1": TEXTS["filled_in.reload"],
    "cut": TEXTS["filled_in.cut"],
}

MODELS_PAGE = "models"
TOKENIZERS_PAGE = "tokenizers"
ATTENTION_PAGE = "attention"
ATTRIBUTION_PAGE = "attribution"
LAYERS_PAGE = "layers"
ANATOMY_PAGE = "anatomy"

# A longer address is refused by many servers and chat programs.
LONGEST_LINK = 8000


def request_of(query: Mapping[str, str]) -> dict[str, str]:
    """What an address says of a request. `stop` is that of a tour where there is one: text generation has an
    option of that name."""
    return {name: value for name, value in query.items() if name != "stop" or "tour" not in query}


def filled_in(query: Mapping[str, str]) -> str:
    """What a page says of the request that it took from its address."""
    return FILLED_IN.get(query.get("kept"), FILLED_IN[None])


def card_link(id: str) -> str:
    """Where a checkpoint's model card can be read."""
    return page_link(MODELS_PAGE, card=id)


def page_link(slug: str, **query: str) -> str:
    """The address of a page of this app, seen from any other."""
    return f"./{slug}?{urlencode(query)}"


# A page in a frame of another one; the script makes the frame as high as its content.
FRAME = """<iframe src="{src}" width="100%" height="{height}"
        allow="clipboard-write" style="border: 0" title="{title}"></iframe>"""
FRAME_SCRIPT = '<script async src="{script}"></script>'
FRAME_CODE = {"frame": FRAME, "script": FRAME_SCRIPT}


def frame_code(origin: str, slug: str, title: str) -> str:
    """HTML that shows a page in another one, as high as its content."""
    src = escape(f"{origin}/{slug}?embed=1&__theme=light")
    frame = FRAME.format(src=src, height=640, title=escape(title))
    return frame + "\n" + FRAME_SCRIPT.format(script=escape(f"{origin}/embed.js"))


def tokens_script(button_id: str) -> str:
    """For a button: opens the tokenizers page with a text and the tokenizer of a model."""
    return javascript.call("links", "openTokens", {"page": TOKENIZERS_PAGE, "button": button_id})


def copy_script(names: Sequence[str], defaults: Mapping[str, object], button_id: str) -> str:
    """For a button: puts the link to what the page shows into the address bar and the clipboard.

    Takes the values of the fields called `names`; those that equal their default are left out.
    """
    setting = {"names": list(names), "defaults": dict(defaults), "button": button_id}
    return javascript.call("links", "copyLink", setting)


def frame_script(names: Sequence[str], defaults: Mapping[str, object]) -> str:
    """For a button: the HTML that shows the page in a frame; takes the values that `copy_script` takes."""
    setting = {"names": list(names), "defaults": dict(defaults), **FRAME_CODE}
    return javascript.call("frame-code", "showFrameCode", setting)


def press_run_script(button_id: str) -> str:
    """Presses Run once the page is up, if the link asks for it."""
    return javascript.call("links", "pressRun", button_id)
