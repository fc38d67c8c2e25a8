"""Training itself, a few steps of it: the recipe's own code on a handful of examples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import set_seed

from components.training import adapter, classification
from components.training.recipe import Recipe, recipes
from components.training.run import train
from components.training.translator import pairs
from tests.fakes.checkpoints import tiny_encoder

WORDS = ("red", "blue", "green", "small", "large", "old", "young", "quiet", "loud", "happy", "tired", "late")


@pytest.fixture
def sentiment(tmp_path: Path) -> tuple[Recipe, Path]:
    """The sentiment recipe at its smallest, and data that can be learned in a few steps."""
    folder = tmp_path / "data/sst2"
    folder.mkdir(parents=True)
    rows = [
        f"a {word} and {mood} film\t{label}"
        for word in WORDS
        for label, mood in enumerate(("awful", "superb"))
    ]
    (folder / "glue_train_full.tsv").write_text("\n".join(["sentence\tlabel", *rows, ""]))
    return replace(recipes()["sentiment"], epochs=3, batch=10, rank=2, dropout=0.0), tmp_path / "data"


def test_a_stopped_run_goes_on_where_it_was(
    sentiment: tuple[Recipe, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, data = sentiment
    body = tiny_encoder(tmp_path / "body")
    monkeypatch.setattr(adapter, "body_folder", lambda: body)

    def finished(name: str, *stops: int) -> dict[str, torch.Tensor]:
        for stop in (*stops, None):
            set_seed(recipe.seed)
            job = classification.prepare(recipe, data)
            train(recipe, job, tmp_path / name, save_every=2, stop_after=stop)
        job.export(tmp_path / name / "export")
        return load_file(tmp_path / name / "export/adapter_model.safetensors")

    whole, stopped = finished("whole"), finished("stopped", 4)
    assert whole.keys() == stopped.keys()
    for name, tensor in whole.items():
        assert tensor.dtype == torch.float16
        torch.testing.assert_close(tensor, stopped[name], atol=2e-3, rtol=1e-2)
    assert any(tensor.abs().max() > 0 for name, tensor in whole.items() if "lora_B" in name)


def test_no_sentence_of_the_held_out_pairs_is_trained_on(tmp_path: Path) -> None:
    folder = tmp_path / "tatoeba_manythings"
    folder.mkdir()
    lines = [f"Sentence number {index}.\tSatz Nummer {index}." for index in range(4000)]
    # The same sentences again, with another case, another punctuation, another partner.
    lines += [f"sentence NUMBER {index}!\tEin anderer Satz {index}" for index in range(4000)]
    lines += [f"Something else {index}\tSatz Nummer {index}!" for index in range(4000)]
    (folder / "deu.txt").write_text("\n".join(lines) + "\n")
    split = pairs(tmp_path, recipes()["translator-en-de"])

    def words(text: str) -> str:
        return text.casefold().strip(".!")

    assert len(split["test"]) == 2000
    assert len(split["dev"]) == 1000
    for side in ("source", "target"):
        trained = {words(getattr(pair, side)) for pair in split["train"]}
        assert not trained & {words(getattr(pair, side)) for part in ("dev", "test") for pair in split[part]}
    assert split["train"]
