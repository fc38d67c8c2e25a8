"""Links that restore a page: its inputs, model and options live in the URL's query, nothing on the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def frame_code(origin: str, slug: str, title: str) -> str:
    """HTML that shows a page in another one, as high as its content."""
    return f"""<iframe id="tour" src="{origin}/{slug}?embed=1&__theme=light" width="100%" height="640"
        allow="clipboard-write" style="border: 0" title="{title}"></iframe>
<script>
  addEventListener("message", ({{ data, source }}) => {{
    const frame = document.getElementById("tour");
    if (source === frame.contentWindow && data?.type === "transformers-tour:height") frame.height =
    data.height; }});
</script>"""


def tokens_script(button_id: str) -> str:
    """For a button: opens the tokenizers page with a text and the tokenizer of a model."""
    return javascript.call("links", "openTokens", {"page": TOKENIZERS_PAGE, "button": button_id})


def copy_script(names: Sequence[str], defaults: Mapping[str, object], button_id: str) -> str:
    """For a button: puts the link to what the page shows into the address bar and the clipboard.

    Takes the values of the fields called `names`; those that equal their default are left out.
    """
    setting = {"names": list(names), "defaults": dict(defaults), "button": button_id}
    return javascript.call("links", "copyLink", setting)


def press_run_script(button_id: str) -> str:
    """Presses Run once the page is up, if the link asks for it."""
    return javascript.call("links", "pressRun", button_id)
