"""What the model picker says of a checkpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.models.catalog import load_catalog
from components.ui import picker


@pytest.mark.parametrize(
    ("task", "codes", "said"),
    [
        ("translation", ("de", "en"), "German to English"),
        ("text_classification", ("en", "de"), "English, German"),
        ("text_classification", (), ""),
        ("fill_mask", ("en", "zh", "de", "fr", "es"), "English, Chinese, German, French, Spanish"),
        (
            "fill_mask",
            ("en", "zh", "de", "fr", "es", "it"),
            "English, Chinese, German, French and 2 more",
        ),
        ("fill_mask", ("en", "xx"), "English, xx"),
    ],
)
def test_languages_in_words(task: str, codes: tuple[str, ...], said: str) -> None:
    assert picker.languages(replace(load_catalog()["sentiment"], languages=codes), task) == said
