"""Jinja2 templates of fragments: what is filled in stays text, and layout is no part of the HTML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from components import templates

ROOT = Path(templates.__file__).parents[1]
FILES = [file for folder in ("components", "demos") for file in (ROOT / folder).rglob("templates/*.html")]
SOURCE = """
{% macro card(title, rows, open) %}
  <section class="card"
    title="{{ title }}"{% if open %} data-open{% endif %}>
    <h2>{{ title }}</h2>
    {% for row in rows %}
      <p>{{ shown(row) }} and <b>{{ row }}</b></p>
    {% endfor %}
  </section>
{% endmacro %}
"""


@pytest.fixture
def module(tmp_path: Path) -> str:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "cards.html").write_text(SOURCE)
    return str(tmp_path / "cards.py")


def test_what_is_filled_in_is_escaped_and_layout_left_out(module: str) -> None:
    fill = templates.beside(module, shown=str.upper)
    card = fill("card", title='"><i>{{ 7 * 7 }}\n', rows=["<a>", Markup("<i>b</i>")], open=True)
    assert isinstance(card, Markup)
    assert card == (
        '<section class="card" title="&#34;&gt;&lt;i&gt;{{ 7 * 7 }}\n" data-open>'
        "<h2>&#34;&gt;&lt;i&gt;{{ 7 * 7 }}\n</h2>"
        "<p>&lt;A&gt; and <b>&lt;a&gt;</b></p><p>&lt;I&gt;B&lt;/I&gt; and <b><i>b</i></b></p></section>"
    )


def test_a_value_that_is_missing_or_too_many_is_an_error(module: str) -> None:
    fill = templates.beside(module, shown=str)
    with pytest.raises(UndefinedError, match="title"):
        fill("card", rows=[], open=False)
    with pytest.raises(TypeError, match="colour"):
        fill("card", title="", rows=[], open=False, colour="red")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_fragment_is_filled_in_by_its_module(file: Path) -> None:
    source = file.read_text("utf-8")
    module = (file.parents[1] / f"{file.stem}.py").read_text("utf-8")
    names = re.findall(r"{% macro (\w+)\(", source)
    assert names
    for name in names:
        assert f'FILL("{name}"' in re.sub(r"\(\s+", "(", module) or f"{{{{ {name}(" in source
    assert "|safe" not in source.replace(" ", "")
    assert "autoescape" not in source
