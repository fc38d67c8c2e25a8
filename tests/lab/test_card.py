"""The model card of a run: true to it, and safe from what visitors name things."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from markdown_it import MarkdownIt

from components.lab.card import card
from components.lab.data import Data
from components.lab.judging import judge
from components.lab.workspace import Workspace
from components.models.catalog import load_catalog
from components.models.checkpoint import Checkpoint, LocalSource
from components.training.recipe import Recipe
from tests.lab.conftest import MakeData
from tests.lab.test_methods import QUICK, MakeWork, base, carry_out, data, make_work
from tests.tasks.test_snippets import run

__all__ = ["base", "data", "make_work"]  # fixtures

HOSTILE = "a\n---\nlicense: mit | <script>alert(1)</script> [x](javascript:y) `$title` ${seed} # * _b_ ~~c~~"
RECIPE = Recipe(
    name="lora", kind="classification", data=(), epochs=6, learning_rate=5e-4, batch=16, length=128, rank=16
)


def written(data: Data, start: Checkpoint, folder: Path, *, adapter: bool = True, **more: Any) -> str:
    rows = [len(data.rows(split)) for split in ("validation", "test")]
    chance = np.random.default_rng(0)
    validation, test = (chance.normal(size=(count, len(data.about.labels))) for count in rows)
    np.savez(folder / "predictions.npz", validation=validation, test=test)
    values: dict[str, Any] = {"method": "LoRA", "train_rows": len(data.rows("train")), "epoch": 3, **more}
    judgement = judge(data, folder / "predictions.npz")
    return card(data, start, RECIPE, judgement, adapter=adapter, **values)


def metadata(text: str) -> dict[str, Any]:
    _, front, _ = text.split("---\n", 2)
    content: dict[str, Any] = yaml.safe_load(front)
    return content


def test_says_what_was_done_and_reached(workspace: Workspace, make_data: MakeData, tmp_path: Path) -> None:
    data = make_data(workspace, title="two emotions")
    start = load_catalog()["all-MiniLM-L6-v2"]
    text = written(data, start, tmp_path, notes=["1 text is longer than 128 tokens."])
    assert metadata(text) == {
        "pipeline_tag": "text-classification",
        "library_name": "peft",
        "tags": ["text-classification", "lora"],
        "license": "apache-2.0",
        "language": ["en"],
        "base_model": "sentence-transformers/all-MiniLM-L6-v2",
    }
    judgement = judge(data, tmp_path / "predictions.npz")
    for measure in judgement.measures:
        assert f"| {measure.name} | {measure.value:.3f} | {measure.low:.3f} to {measure.high:.3f} |" in text
    for one in judgement.per_class:
        scores = f"{one.precision:.3f} | {one.recall:.3f} | {one.f1:.3f}"
        assert f"| {one.label} | {scores} | {one.support} |" in text
    for words in ("rank 16", "Of 6 epochs, number 3", "seed 20", "0.0005", "24 test examples are few"):
        assert words in text
    assert "- 1 text is longer than 128 tokens." in text


@pytest.mark.parametrize("adapter", [True, False])
def test_no_name_is_markup(adapter: bool, workspace: Workspace, make_data: MakeData, tmp_path: Path) -> None:
    plain = make_data(workspace)
    start = load_catalog()["all-MiniLM-L6-v2"]
    quiet = written(plain, start, tmp_path, adapter=adapter, notes=["note"])
    about = replace(plain.about, title=HOSTILE, source=HOSTILE, licence=HOSTILE, labels=(HOSTILE, "b"))
    (plain.folder / "data.json").write_text(json.dumps(asdict(about)))
    text = written(Data(plain.folder), start, tmp_path, adapter=adapter, notes=[HOSTILE])
    assert metadata(text) == metadata(quiet)
    assert kinds(text) == kinds(quiet)


def kinds(text: str) -> list[str]:
    """What the body of a card consists of, as Markdown sees it."""
    body = text.split("---\n", 2)[2]
    found = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(body):
        found.append(token.type)
        found += [child.type for child in token.children or () if child.type != "text"]
    return found


def test_names_no_folder_of_this_host(workspace: Workspace, make_data: MakeData, tmp_path: Path) -> None:
    here = LocalSource(folder=str(tmp_path))
    start = replace(load_catalog()["all-MiniLM-L6-v2"], source=here, title="mine")
    text = written(make_data(workspace), start, tmp_path, adapter=False)
    assert str(tmp_path) not in text
    assert "base_model" not in metadata(text)
    assert "library_name" in metadata(text)


def answers(printed: str) -> dict[str, float]:
    pairs = [line.split("  ") for line in printed.splitlines()]
    return {label: float(score) for score, label in pairs}


def test_its_code_runs_unchanged(make_work: MakeWork, tmp_path: Path) -> None:
    """On the shipped body it would ask the Hub for that; it is given a whole checkpoint, which needs none."""
    from tests.fakes.checkpoints import TINY, local_entry

    tiny = TINY["causal-lm"]
    start = local_entry("tiny", tiny.head, tiny.build(tmp_path / "tiny"), tiny.tasks)
    work = carry_out(make_work("lora", start, **{**QUICK, "epochs": 1}))
    text = (work.model / "README.md").read_text("utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=work.model, capture_output=True, text=True, check=True
    )
    scores = answers(done.stdout)
    assert set(scores) == set(work.data.about.labels)
    assert sum(scores.values()) == pytest.approx(1, abs=2e-3)


def test_the_code_for_an_adapter_answers_as_the_run(make_work: MakeWork) -> None:
    """With the folder of the body, which this host has, in place of its name on the Hub."""
    start = load_catalog()["all-MiniLM-L6-v2"]
    work = carry_out(make_work("lora", start, **{**QUICK, "epochs": 1, "learning_rate": 1e-3}))
    text = (work.model / "README.md").read_text("utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    code = code.replace("'sentence-transformers/all-MiniLM-L6-v2'", repr(str(work.base_folder())))
    row = int(work.data.rows("test")[0])
    code = code.replace('"A text to classify."', repr(work.data.texts([row])[0]))
    scores = answers(run(code, work.model))
    with np.load(work.run.folder / "predictions.npz") as kept:
        logits = kept["test"][0].astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum()
    assert [scores[label] for label in work.data.about.labels] == pytest.approx(expected, abs=1e-3)
