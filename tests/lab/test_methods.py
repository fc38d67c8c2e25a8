"""The ways to train, on tiny checkpoints by calling them; `test_jobs.py` has the process of a run."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from components.lab import roles, sampling
from components.lab.data import Data
from components.lab.judging import judge
from components.lab.lab import Lab
from components.lab.methods import METHODS, splits
from components.lab.methods.features import points
from components.lab.roles import Roles
from components.lab.runs import Run, Spec
from components.lab.work import PausedError, Work
from components.lab.workspace import Workspace
from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint, Head
from components.models.errors import TourError
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.models.sources.folder import trained
from components.tasks.fields import validate
from components.tasks.runner import Runner
from components.tasks.text_classification import TASK
from tests.fakes.architectures import ARCHITECTURES
from tests.fakes.checkpoints import TINY, local_entry
from tests.lab.conftest import MakeData

MakeWork = Callable[..., Work]

QUICK: dict[str, Any] = {"epochs": 3, "batch": 8, "learning_rate": 1e-2, "longest": 32}
BASES = {
    "bert": TINY["encoder"],
    "masked": TINY["masked-lm"],
    "llama": TINY["causal-lm"],
    "roberta": ARCHITECTURES["roberta-masked"],
    "modernbert": ARCHITECTURES["modernbert"],
    "gpt2": ARCHITECTURES["gpt2"],
    "qwen3": ARCHITECTURES["qwen3"],
}


@pytest.fixture
def base(tmp_path: Path) -> Callable[[str], Checkpoint]:
    def build(name: str) -> Checkpoint:
        tiny = BASES[name]
        return local_entry(f"tiny-{name}", tiny.head, tiny.build(tmp_path / name), tiny.tasks)

    return build


@pytest.fixture
def data(workspace: Workspace, make_data: MakeData) -> Data:
    return make_data(workspace)


@pytest.fixture
def make_work(workspace: Workspace, data: Data) -> MakeWork:
    def make(method: str, base: Checkpoint | None, **options: Any) -> Work:
        spec = Spec(method=method, title=METHODS[method].title, data=data.id, options=options)
        run = Run.create(workspace.runs, spec)
        return Work(run=run, settings=Settings(cache_dir=default_cache_dir(), device="cpu"), base=base)

    return make


def carry_out(work: Work) -> Work:
    method = METHODS[work.run.spec.method]
    method.run(work, validate(method.options, work.run.spec.options))
    return work


def events_of(work: Work, event: str) -> list[Mapping[str, Any]]:
    return [one for one in work.run.events() if one["event"] == event]


def predictions(work: Work, split: str) -> np.ndarray:
    with np.load(work.run.folder / "predictions.npz") as kept:
        logits: np.ndarray = kept[split]
    return logits


def answer(checkpoint: Checkpoint, base: Checkpoint, text: str, cache: Path) -> dict[str, float]:
    """Scores as a visitor of the text-classification page gets them."""
    registry = Registry(Catalog([base, checkpoint]), Settings(cache_dir=cache, device="cpu"))
    try:
        runner = Runner(registry, "embedded")
        result = runner.call(TASK, {"text": text, "model": checkpoint.id}).result
        return {one.label: one.score for one in result.labels}
    finally:
        registry.close()


def agrees(work: Work, base: Checkpoint, cache: Path) -> None:
    """What the registry answers is what the run was judged by."""
    data = work.data
    made = trained(work.model, "local/made", (base, _classifier()))
    row = int(data.rows("test")[0])
    found = answer(made, base, data.texts([row])[0], cache)
    expected = torch.tensor(predictions(work, "test")[0]).softmax(dim=0)
    assert [found[label] for label in data.about.labels] == pytest.approx(expected.tolist(), abs=2e-5)


def _classifier() -> Checkpoint:
    """Something that says which tasks a classifier does."""
    from components.models.catalog import load_catalog

    return load_catalog()["sentiment"]


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("method", ["lora", "full"])
def test_any_encoder_or_decoder_becomes_a_classifier_that_answers(
    method: str, name: str, base: Callable[[str], Checkpoint], make_work: MakeWork, tmp_path: Path
) -> None:
    start = base(name)
    work = carry_out(make_work(method, start, model=start.id, **QUICK))
    seen = events_of(work, "validation")
    assert [one["step"] for one in seen] == [3, 6, 9]
    assert work.run.result["macro_f1"] == max(one["macro_f1"] for one in seen)
    assert events_of(work, "train")[-1]["step"] == 9
    assert not (work.model / "adapter_config.json").exists(), "no other than a shared body has adapters on it"
    for file in work.model.glob("*.safetensors"):
        assert {tensor.dtype for tensor in load_file(file).values()} == {torch.float16}
    for file in work.model.glob("*.json"):
        assert str(tmp_path) not in file.read_text("utf-8")
    agrees(work, start, tmp_path / "cache")


def test_an_adapter_on_a_body_of_the_catalog_shares_it(lab: Lab, make_work: MakeWork, tmp_path: Path) -> None:
    start = lab.registry.catalog["all-MiniLM-L6-v2"]
    work = carry_out(make_work("lora", start, **{**QUICK, "epochs": 1, "learning_rate": 1e-3}))
    made = trained(work.model, "local/made", tuple(lab.registry.catalog))
    assert made.body == start
    assert "text_classification" in made.tasks
    assert sum(file.stat().st_size for file in work.model.iterdir()) < 3_000_000
    agrees(work, start, default_cache_dir())


@pytest.mark.parametrize("name", ["bert", "gpt2"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_paused_run_ends_as_one_that_was_not(
    method: str, name: str, base: Callable[[str], Checkpoint], make_work: MakeWork
) -> None:
    """Paused within an epoch, at the end of one, and again soon after it went on."""
    start = base(name)
    whole = carry_out(make_work(method, start, **QUICK))
    paused = make_work(method, start, **QUICK)
    for before, stop in itertools.pairwise((0, 2, 6, 8)):
        with pytest.raises(PausedError) as error:
            carry_out(replace(paused, pausing=After(stop - before)))
        assert error.value.step == stop
        assert paused.run.saved
    carry_out(paused)
    assert events_of(paused, "train")[-1]["step"] == 9
    weights, others = (load_file(work.model / "model.safetensors") for work in (whole, paused))
    assert weights.keys() == others.keys()
    for weight, tensor in weights.items():
        assert torch.equal(tensor, others[weight]), weight
    assert np.array_equal(predictions(whole, "test"), predictions(paused, "test"))
    scores = [{one["step"]: one["loss"] for one in events_of(work, "validation")} for work in (whole, paused)]
    assert scores[0] == pytest.approx(scores[1])


class After(threading.Event):
    """Is set once it has been looked at so many times, which happens after each step."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self._checks = checks

    def is_set(self) -> bool:
        self._checks -= 1
        return self._checks <= 0


def test_what_was_half_saved_is_passed_over(base: Callable[[str], Checkpoint], make_work: MakeWork) -> None:
    work = make_work("lora", base("bert"), **QUICK)
    broken = work.checkpoints / "checkpoint-7"
    broken.mkdir(parents=True)
    (broken / "adapter_model.safetensors").write_bytes(b"")
    carry_out(work)
    assert events_of(work, "train")[0]["step"] == 1


def test_a_loss_that_is_no_number_ends_the_run(
    base: Callable[[str], Checkpoint], make_work: MakeWork
) -> None:
    start = base("gpt2")
    file = make_work("full", start).base_folder() / "model.safetensors"
    save_file({name: tensor * torch.nan for name, tensor in load_file(file).items()}, file, {"format": "pt"})
    with pytest.raises(TourError, match="learning rate"):
        carry_out(make_work("full", start, **QUICK))


def test_long_texts_are_cut_and_counted(base: Callable[[str], Checkpoint], make_work: MakeWork) -> None:
    work = carry_out(make_work("lora", base("bert"), **{**QUICK, "longest": 8, "epochs": 1}))
    tokenizer = AutoTokenizer.from_pretrained(work.base_folder())
    lengths = [len(tokenizer(text)["input_ids"]) for text in work.data.texts(range(len(work.data)))]
    count = sum(length > 8 for length in lengths)
    assert work.run.result["cut"] == count > 0
    assert any(f"{count:,} texts are longer than 8 tokens" in one["text"] for one in events_of(work, "note"))


def test_too_many_rows_are_sampled_with_their_shares(
    base: Callable[[str], Checkpoint], make_work: MakeWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splits, "MOST_TRAINING", 10)
    monkeypatch.setattr(splits, "MOST_WATCHED", 6)
    work = carry_out(make_work("lora", base("bert"), **{**QUICK, "epochs": 1}))
    assert work.run.result["train_rows"] == 10
    notes = [one["text"] for one in events_of(work, "note")]
    assert "learned from 10 of them" in notes[0]
    assert "6 of the 24 validation rows" in notes[1]
    assert predictions(work, "validation").shape == (24, 2), "all of them are judged in the end"
    classes = np.array([0] * 900 + [1] * 90 + [2])
    taken = classes[sampling.stratified(classes, 100, seed=1)]
    assert np.bincount(taken).tolist() == [91, 9, 1]


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_vectors_are_those_of_one_text_at_a_time(
    name: str, pooling: str, base: Callable[[str], Checkpoint], make_work: MakeWork
) -> None:
    from components.lab.hidden import hidden_states

    start = base(name)
    work = make_work("features", start)
    rows = np.array([17, 3, 20])
    folder = work.base_folder()
    network, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    for layer in (0, 1, -1):
        found = hidden_states(work, rows, layer, pooling)  # type: ignore[arg-type]
        assert found.layers == 2
        for vector, text in zip(found.vectors, work.data.texts(rows), strict=True):
            ids = torch.tensor([tokenizer(text)["input_ids"]])
            with torch.inference_mode():
                states = network(input_ids=ids, output_hidden_states=True).hidden_states[layer][0]
            last = -1 if start.head is Head.CAUSAL_LM else 0
            expected = states.mean(dim=0) if pooling == "mean" else states[last]
            assert vector == pytest.approx(expected.numpy(), abs=1e-5)


def test_vectors_are_not_computed_twice(base: Callable[[str], Checkpoint], make_work: MakeWork) -> None:
    start = base("bert")
    carry_out(make_work("features", start, projection="pca"))
    again = carry_out(make_work("logistic_regression", start, layer=1))
    assert "Reading texts" not in {one["stage"] for one in events_of(again, "progress")}
    other = carry_out(make_work("logistic_regression", start, pooling="first"))
    assert "Reading texts" in {one["stage"] for one in events_of(other, "progress")}


def test_a_layer_that_there_is_none_of_is_refused(
    base: Callable[[str], Checkpoint], make_work: MakeWork
) -> None:
    with pytest.raises(TourError, match="2 layers"):
        carry_out(make_work("features", base("bert"), layer=3))


@pytest.mark.parametrize("projection", ["lda", "pca", "umap"])
def test_features_are_kept_for_the_figure(
    projection: str, base: Callable[[str], Checkpoint], make_work: MakeWork
) -> None:
    work = carry_out(make_work("features", base("bert"), projection=projection, n_neighbors=5))
    found, data = points(work.run), work.data
    assert found.points.shape == (len(data), 2)
    assert np.isfinite(found.points).all()
    assert found.rows.tolist() == list(range(len(data)))
    assert found.classes.tolist() == data.label_codes.tolist()
    assert found.splits.tolist() == data.split_codes.tolist()
    explained = work.run.result["explained"]
    assert (projection != "pca") == (explained is None)
    assert (projection == "lda") == (work.run.result["held_out"] is not None)
    if explained:
        assert 0 < explained[1] <= explained[0] < 1
    again = carry_out(make_work("features", base("bert"), projection=projection, n_neighbors=5))
    assert np.allclose(points(again.run).points, found.points)


def test_logistic_regression_learns(lab: Lab, make_work: MakeWork) -> None:
    work = carry_out(make_work("logistic_regression", lab.registry.catalog["all-MiniLM-L6-v2"]))
    truth = work.data.classes(work.data.rows("test"))
    assert (predictions(work, "test").argmax(axis=1) == truth).mean() > 0.9
    assert events_of(work, "validation")[0]["macro_f1"] > 0.9


PAIRED = {
    "same": [
        ("A dog runs.", "A dog is running."),
        ("He left.", "He went away."),
        ("It rains.", "Rain falls."),
    ],
    "other": [("A dog runs.", "The tea is hot."), ("He left.", "Birds sing."), ("It rains.", "She paints.")],
}


@pytest.fixture
def pairs(workspace: Workspace) -> Data:
    """A data set of pairs of texts, as a file of them would be finalized."""
    rows = [
        {"premise": f"{one} {number}", "hypothesis": other, "label": label, "split": split}
        for number in range(3)
        for split in ("train", "validation", "test")
        for label, found in PAIRED.items()
        for one, other in found
    ]
    table = pa.Table.from_pylist(rows)
    file = workspace.folder / "pairs.arrow"
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    chosen = Roles(text="premise", pair="hypothesis", label="label", split="split")
    data = roles.make(
        file, chosen, workspace.data / "pairs", title="pairs", source="a test", licence="mit", notes=()
    )
    workspace.choose(data.id)
    return data


def on_pairs(method: str, base: Checkpoint | None, data: Data, workspace: Workspace, **options: Any) -> Work:
    spec = Spec(method=method, title=METHODS[method].title, data=data.id, options=options)
    run = Run.create(workspace.runs, spec)
    settings = Settings(cache_dir=default_cache_dir(), device="cpu")
    return carry_out(Work(run=run, settings=settings, base=base))


@pytest.mark.parametrize("name", ["bert", "roberta", "gpt2"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_pairs_of_texts_are_learned_from_and_answered(
    method: str,
    name: str,
    base: Callable[[str], Checkpoint],
    pairs: Data,
    workspace: Workspace,
    tmp_path: Path,
) -> None:
    start = base(name)
    work = on_pairs(method, start, pairs, workspace, model=start.id, **QUICK)
    made = trained(work.model, "local/made", (start, _classifier()))
    row = int(pairs.rows("test")[4])
    [text], seconds = pairs.texts([row]), pairs.pairs([row])
    assert seconds is not None
    registry = Registry(Catalog([start, made]), Settings(cache_dir=tmp_path / "cache", device="cpu"))
    try:
        runner = Runner(registry, "embedded")
        asked = {"text": text, "text_pair": seconds[0], "model": made.id}
        found = {one.label: one.score for one in runner.call(TASK, asked).result.labels}
        with pytest.raises(TourError, match="add the second text") as refused:
            runner.call(TASK, {"text": text, "model": made.id})
        assert refused.value.field == "text_pair"
    finally:
        registry.close()
    expected = torch.tensor(predictions(work, "test")[4]).softmax(dim=0)
    assert [found[label] for label in pairs.about.labels] == pytest.approx(expected.tolist(), abs=2e-5)
    card = (work.model / "README.md").read_text("utf-8")
    assert "puts a pair of texts into" in card
    assert "the second text of its pair" in card
    judged = judge(pairs, work.run.folder / "predictions.npz")
    assert len(judged.rows) == 18


def test_the_vectors_of_a_pair_are_both_and_how_they_differ(
    base: Callable[[str], Checkpoint], pairs: Data, workspace: Workspace
) -> None:
    from components.lab.hidden import hidden_states

    work = on_pairs("logistic_regression", base("bert"), pairs, workspace)
    rows = pairs.rows("test")
    found = hidden_states(work, rows, -1, "mean").vectors
    u, v, difference, product = np.split(found, 4, axis=1)
    assert np.allclose(difference, np.abs(u - v))
    assert np.allclose(product, u * v)
    assert not np.allclose(u, v)
    assert predictions(work, "test").shape == (18, 2)


@pytest.mark.parametrize(
    "chosen",
    [
        Roles(text="premise", pair="premise", label="label", split=None),
        Roles(text="premise", pair="label", label="label", split=None),
        Roles(text="premise", pair="number", label="label", split=None),
    ],
)
def test_a_second_text_must_be_a_column_of_its_own(chosen: Roles, workspace: Workspace) -> None:
    table = pa.table({"premise": ["a", "b"], "label": ["x", "y"], "number": [1, 2]})
    file = workspace.folder / "pairs.arrow"
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(TourError):
        roles.make(file, chosen, workspace.data / "x", title="t", source="s", licence="l", notes=())


SEVERAL = [
    ("We won the cup!", "joy|sport"),
    ("My sister is home at last.", "joy"),
    ("The team lost the final.", "sadness|sport"),
    ("Nobody came to my party.", "sadness"),
    ("The match begins at nine.", "sport"),
    ("Joyful tears at the station.", "joy|sadness"),
]


def finalized(workspace: Workspace, cells: Sequence[str], texts: Sequence[str]) -> Data:
    """A data set whose rows have as many labels as their cells say, all splits alike."""
    rows = [
        {"text": f"{text} {number}", "label": cell, "split": split}
        for number in range(3)
        for split in ("train", "validation", "test")
        for text, cell in zip(texts, cells, strict=True)
    ]
    table = pa.Table.from_pylist(rows)
    file = workspace.folder / "several.arrow"
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    chosen = Roles(text="text", label="label", split="split", several=True)
    data = roles.make(
        file, chosen, workspace.data / "several", title="s", source="a test", licence="mit", notes=()
    )
    workspace.choose(data.id)
    return data


@pytest.fixture
def several(workspace: Workspace) -> Data:
    return finalized(workspace, [cell for _, cell in SEVERAL], [text for text, _ in SEVERAL])


@pytest.mark.parametrize(
    "cells",
    [
        ["joy|sport", "joy", "sadness | sport"],
        ["joy; sport", "joy;", "sadness;sport"],
        ["joy,sport", "joy, joy", "sport,sadness"],
        ['["joy", "sport"]', '["joy"]', '["sadness", "sport"]'],
        ["jo\u200by|sport", " joy ", "sadness|sport"],
    ],
)
def test_a_cell_holds_labels_however_they_are_written(cells: list[str], workspace: Workspace) -> None:
    data = finalized(workspace, cells, ["a", "b", "c"])
    assert data.about.labels == ("joy", "sadness", "sport")
    fits = data.fits(data.rows("test")[:3]).tolist()
    assert fits == [[True, False, True], [True, False, False], [False, True, True]]


@pytest.mark.parametrize("name", ["bert", "gpt2"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_several_labels_are_learned_and_answered_with_their_thresholds(
    method: str,
    name: str,
    base: Callable[[str], Checkpoint],
    several: Data,
    workspace: Workspace,
    tmp_path: Path,
) -> None:
    start = base(name)
    work = on_pairs(method, start, several, workspace, model=start.id, **{**QUICK, "epochs": 8})
    made = trained(work.model, "local/made", (start, _classifier()))
    judged = judge(several, work.run.folder / "predictions.npz")
    assert judged.several
    assert [one.name for one in judged.measures] == ["all labels right", "macro F1", "micro F1"]
    registry = Registry(Catalog([start, made]), Settings(cache_dir=tmp_path / "cache", device="cpu"))
    try:
        runner = Runner(registry, "embedded")
        for place in (0, 4):
            [text] = several.texts([int(judged.rows[place])])
            result = runner.call(TASK, {"text": text, "model": made.id}).result
            scores = torch.tensor(predictions(work, "test")[place]).sigmoid()
            found = {one.label: one.score for one in result.labels}
            assert [found[label] for label in several.about.labels] == pytest.approx(
                scores.tolist(), abs=1e-4
            )
            least = dict(zip(judged.labels, judged.thresholds, strict=True))
            clear = [label for label in found if abs(found[label] - least[label]) > 0.02]
            assert [label in result.chosen for label in clear] == [found[one] >= least[one] for one in clear]
    finally:
        registry.close()
    card = (work.model / "README.md").read_text("utf-8")
    assert "into any number of 3 classes" in card
    assert "logits.sigmoid()" in card


@pytest.mark.parametrize("method", ["baseline", "logistic_regression"])
def test_several_labels_by_the_other_methods(
    method: str, base: Callable[[str], Checkpoint], several: Data, workspace: Workspace
) -> None:
    work = on_pairs(method, None if method == "baseline" else base("bert"), several, workspace)
    judged = judge(several, work.run.folder / "predictions.npz")
    f1 = {one.label: one.f1 for one in judged.per_class}
    if method == "logistic_regression":
        assert all(score > 0.7 for score in f1.values()), "the same texts are in all splits"
    assert judged.confusion.shape == (3, 3)
    assert [len(judged.places(at, at)) for at in range(3)] == np.diag(judged.confusion).tolist()
    assert judged.said[int(judged.truth[0])] == "joy, sport"
