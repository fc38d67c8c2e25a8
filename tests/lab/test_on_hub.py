"""Data sets from a local server that speaks the Hub's API: what is listed, fetched, and refused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from pyarrow import parquet

from components.lab import intake, on_hub, roles
from components.lab.data import SPLITS, Data
from components.lab.workspace import Workspace, Workspaces, new_key
from components.models.errors import Code, TourError
from tests.fakes.hub import FakeHub, black_hole, closed_port, running_hub
from tests.tasks.suite import finish

REPO = "owner/moods"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with running_hub({}) as hub:
        yield hub


@pytest.fixture
def workspaces(tmp_path: Path) -> Workspaces:
    return Workspaces(tmp_path / "lab", budget=10**10, each=10**10, removing=lambda folder: True)


@pytest.fixture
def workspace(workspaces: Workspaces) -> Workspace:
    return workspaces.open(new_key())


@pytest.fixture
def publish(hub: FakeHub, tmp_path: Path) -> Callable[..., None]:
    """Puts files, by their paths, into a data set on the server."""

    def publish(files: dict[str, str | bytes], revision: str = "main") -> None:
        folder = tmp_path / revision.replace("/", "-")
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        hub.datasets[REPO, revision] = folder

    return publish


def taken(hub: FakeHub, workspaces: Workspaces, workspace: Workspace, name: str = "default") -> Data:
    listing = on_hub.look(hub.endpoint, REPO)
    finish(on_hub.download(hub.endpoint, listing, name, workspaces, workspace))
    draft = finish(intake.read(workspace, {}))
    assert draft.converted is not None
    return intake.finalize(workspace, roles.guess(draft.converted.columns))


def rows(texts: list[str], labels: list[int]) -> bytes:
    features = {"label": {"names": ["sad", "glad"], "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    schema = pa.schema([("text", pa.string()), ("label", pa.int64())], metadata=metadata)
    out = pa.BufferOutputStream()
    parquet.write_table(pa.table({"text": texts, "label": labels}, schema=schema), out)
    return bytes(out.getvalue())


def test_parquet_files_become_one_table_with_names_of_classes(hub, publish, workspaces, workspace):
    publish(
        {
            "data/train-00000-of-00002.parquet": rows(["a", "b"], [0, 1]),
            "data/train-00001-of-00002.parquet": rows(["c"], [1]),
            "data/validation-00000-of-00001.parquet": rows(["d"], [0]),
            "data/test-00000-of-00001.parquet": rows(["e"], [-1]),
            "moods.py": "raise SystemExit",
        }
    )
    [configuration] = on_hub.look(hub.endpoint, REPO).configurations
    assert configuration.splits == ("train", "validation", "test")
    assert not [line for line in hub.requests if "resolve" in line]  # nothing is fetched to list it
    data = taken(hub, workspaces, workspace)
    assert data.about.labels == ("glad", "sad")
    assert (data.about.source, data.about.licence, data.about.title) == (REPO, "mit", "moods")
    assert {split: data.texts(data.rows(split)) for split in SPLITS[:2]} == {
        "train": ["a", "b", "c"],
        "validation": ["d"],
    }
    assert not any(".py" in line for line in hub.requests)


def test_the_data_card_says_which_files_belong_together(hub, publish, workspaces, workspace):
    card = {
        "configs": [
            {"config_name": "easy", "data_files": [{"split": "train", "path": "one/*.csv"}]},
            {"config_name": "hard", "data_files": [{"split": "train", "path": ["two.csv", "three.csv"]}]},
        ]
    }
    publish(
        {
            "README.md": f"---\n{json.dumps(card)}\n---\n",
            "one/x.csv": "text,label\na,1\n",
            "two.csv": "text,label\nb,1\n",
            "three.csv": "label,text\n2,c\n",
        }
    )
    listing = on_hub.look(hub.endpoint, REPO)
    assert [one.name for one in listing.configurations] == ["easy", "hard"]
    assert taken(hub, workspaces, workspace, "hard").texts([0, 1]) == ["b", "c"]


def test_what_the_hub_converted_is_read_where_there_is_nothing_else(hub, publish, workspaces, workspace):
    publish({"moods.py": "raise SystemExit", "README.md": "---\n{}\n---"})
    publish({"plain/train/0000.parquet": rows(["a", "b"], [0, 1])}, on_hub.CONVERTED)
    listing = on_hub.look(hub.endpoint, REPO)
    assert [(one.name, one.splits) for one in listing.configurations] == [("plain", ("train",))]
    assert taken(hub, workspaces, workspace, "plain").texts([0, 1]) == ["a", "b"]


@pytest.mark.parametrize("name", ["train.jsonl", "train.json", "train.csv", "train.txt"])
def test_other_formats(name, hub, publish, workspaces, workspace):
    content = {
        ".jsonl": '{"text": "a"}\n{"text": "b"}',
        ".json": '[{"text": "a"}, {"text": "b"}]',
        ".csv": "text\na\nb\n",
        ".txt": "a\nb\n",
    }
    publish({name: content[Path(name).suffix]})
    assert taken(hub, workspaces, workspace).texts([0, 1]) == ["a", "b"]


def test_what_is_too_large_is_refused_before_and_while_it_comes(
    hub, publish, workspaces, workspace, monkeypatch
):
    publish({"train.csv": "text,label\n" + "a,b\n" * 1000})
    listing = on_hub.look(hub.endpoint, REPO)
    monkeypatch.setattr(on_hub, "LARGEST", 2000)
    with pytest.raises(TourError, match="Pick a smaller"):
        finish(on_hub.download(hub.endpoint, listing, "default", workspaces, workspace))
    assert not hub.downloads("train.csv")
    [lying] = listing.configurations
    small = on_hub.Remote(path="train.csv", nbytes=10, split="train")
    lying = on_hub.Configuration(name="default", files=(small,))
    listing = on_hub.Listing(repo=REPO, revision=listing.revision, licence="mit", configurations=(lying,))
    with pytest.raises(TourError, match="Pick a smaller"):
        finish(on_hub.download(hub.endpoint, listing, "default", workspaces, workspace))
    assert intake.draft_of(workspace) is None
    assert not (workspace.folder / "draft").exists()


def test_a_download_that_is_given_up_leaves_nothing(hub, publish, workspaces, workspace):
    publish({"train.csv": "text,label\n" + "a,b\n" * 1000})
    listing = on_hub.look(hub.endpoint, REPO)
    work = on_hub.download(hub.endpoint, listing, "default", workspaces, workspace)
    next(work)
    work.close()
    assert not (workspace.folder / "draft").exists()


def test_a_download_that_breaks_off_is_told(hub, publish, workspaces, workspace):
    publish({"train.csv": "text,label\n" + "a,b\n" * 1000})
    listing = on_hub.look(hub.endpoint, REPO)
    hub.cut["train.csv"] = 1
    with pytest.raises(TourError) as broken:
        finish(on_hub.download(hub.endpoint, listing, "default", workspaces, workspace))
    assert broken.value.code is Code.UNREACHABLE


@pytest.mark.parametrize("id", ["", "imdb", "../../etc/passwd", "a/b/c", "owner/na me", "x" * 500])
def test_what_is_no_id(id, hub):
    with pytest.raises(TourError, match="owner/name"):
        on_hub.look(hub.endpoint, id)
    assert not hub.requests


def test_an_unknown_a_gated_and_an_empty_one(hub, publish):
    with pytest.raises(TourError, match="Check the id"):
        on_hub.look(hub.endpoint, REPO)
    publish({"moods.py": "raise SystemExit", "README.md": "---\n{}\n---"})
    with pytest.raises(TourError, match="never run"):
        on_hub.look(hub.endpoint, REPO)
    hub.gated.add(REPO)
    with pytest.raises(TourError, match="upload the file"):
        on_hub.look(hub.endpoint, REPO)


def test_a_path_that_leads_elsewhere_is_no_data(hub, publish, monkeypatch):
    publish({"train.csv": "text\na\n"})
    (hub.datasets[REPO, "main"] / "README.md").write_text(
        "---\n"
        + json.dumps({"configs": [{"data_files": "../../secret.csv"}, "nonsense", {"data_files": 3}]})
        + "\n---"
    )
    [configuration] = on_hub.look(hub.endpoint, REPO).configurations
    assert [file.path for file in configuration.files] == ["train.csv"]


@pytest.mark.parametrize("silent", [False, True])
def test_a_hub_that_does_not_answer(silent, monkeypatch):
    if not silent:
        with pytest.raises(TourError) as refused:
            on_hub.look(closed_port(), REPO)
    else:
        monkeypatch.setattr("components.models.sources.lookup.PATIENCE", 1.0)
        monkeypatch.setattr(on_hub, "PATIENCE", 1.0)
        with black_hole() as endpoint, pytest.raises(TourError) as refused:
            on_hub.look(endpoint, REPO)
    assert refused.value.code is Code.UNREACHABLE
    assert "Upload a file" in refused.value.message


def test_the_address_that_a_browser_shows_will_do(hub: FakeHub, publish: Callable[..., None]):
    publish({"moods.csv": "text,label\nOh no,sad\nHooray,glad\n"})
    assert on_hub.look(hub.endpoint, f" {hub.endpoint}/datasets/{REPO}/ ").repo == REPO


@pytest.mark.parametrize(("words", "found"), [("mood", [REPO]), ("OWNER", [REPO]), ("nothing such", [])])
def test_data_sets_are_found_by_words(
    words: str, found: list[str], hub: FakeHub, publish: Callable[..., None]
) -> None:
    publish({"train.csv": "text,label\na,b\n"})
    hub.gated.add(REPO)
    listed = on_hub.search(hub.endpoint, words)
    assert [one.repo for one in listed] == found
    for one in listed:
        assert (one.downloads, one.licence, one.gated) == (1200, "mit", True)
        assert one.about == "<b>Texts</b> and moods."


def test_a_search_says_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    without_sleep = SimpleNamespace(**vars(time) | {"sleep": lambda seconds: None})
    monkeypatch.setattr("huggingface_hub.utils._http.time", without_sleep)  # before the library tries again
    with pytest.raises(TourError) as caught:
        on_hub.search(closed_port(), "mood")
    assert caught.value.code is Code.UNREACHABLE
