"""What the visitors ask of the API. Apart from them, because locust changes the process that imports it."""

from __future__ import annotations

from typing import Any

ASKED: dict[str, dict[str, Any]] = {
    "text_classification": {"text": "The bread was warm and the staff were kind."},
    "named_entities": {"text": "Marie Curie was born in Warsaw."},
    "fill_mask": {"text": "Paris is the [MASK] of France."},
    "sentence_similarity": {"source": "A cat sleeps.", "sentences": ["A kitten naps.", "Stocks fell."]},
    "question_answering": {"question": "Where was she born?", "context": "She was born in Warsaw in 1867."},
    "tokenize": {"text": "Tokenizers cut words.", "tokenizers": ["all-MiniLM-L6-v2"]},
}
