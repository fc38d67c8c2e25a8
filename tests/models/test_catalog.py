"""The catalog that ships is sound; a wrong one is refused with the table and field at fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.models.catalog import Catalog, CatalogError, load_catalog
from components.models.checkpoint import Checkpoint, HubSource, WheelSource
from components.models.errors import Code, TourError
from components.models.settings import PROFILES
from components.models.sources.snippet import loading_lines

SHIPPED = load_catalog()
TASKS = sorted({task for checkpoint in SHIPPED for task in checkpoint.tasks})
GOOD = """
[thing]
title = "Thing"
tasks = ["fill_mask"]
head = "masked-lm"
licence = "MIT"
parameters = 10
download_bytes = 20
token_limit = 30
languages = ["en"]
about = "A thing."
default_for = { hub = ["fill_mask"] }

[thing.source]
kind = "hub"
repo = "some/thing"
"""


@pytest.mark.parametrize("checkpoint", SHIPPED, ids=lambda checkpoint: checkpoint.id)
def test_every_entry_is_complete(checkpoint: Checkpoint) -> None:
    assert checkpoint.about.rstrip().endswith(".")
    assert "\n" not in checkpoint.title + checkpoint.about
    if isinstance(checkpoint.source, HubSource | WheelSource):
        assert checkpoint.download_bytes > checkpoint.parameters / 2, "fewer than 4 bits per parameter"
    scope = compile("\n".join(loading_lines(checkpoint)), "snippet", "exec")
    assert "MODEL" in scope.co_names
    assert ("ADAPTER" in scope.co_names) == (checkpoint.body is not None)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("task", TASKS)
def test_every_task_starts_with_a_checkpoint_of_its_profile(task: str, profile: str) -> None:
    default = SHIPPED.default(task, profile)  # type: ignore[arg-type]
    assert task in default.tasks
    assert task in default.default_for[profile]
    assert default.embedded or profile == "hub"


def test_unknown_id_lists_what_there_is() -> None:
    with pytest.raises(TourError) as error:
        SHIPPED["no-such-model"]
    assert error.value.code is Code.UNKNOWN_MODEL
    assert error.value.field == "model"
    assert all(checkpoint.id in error.value.message for checkpoint in SHIPPED)


def test_order_is_the_file_s(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text(
        GOOD.replace("thing", "zebra") + GOOD.replace("thing", "ant").replace("hub = [", "embedded = [")
    )
    with pytest.raises(CatalogError, match="needs the Hub"):
        load_catalog(file)
    file.write_text(
        GOOD.replace("thing", "zebra") + GOOD.replace("thing", "ant").replace('"fill_mask"] }', "] }")
    )
    assert [checkpoint.id for checkpoint in load_catalog(file)] == ["zebra", "ant"]


def test_a_good_table_loads(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text(GOOD)
    (thing,) = load_catalog(file)
    assert thing.source == HubSource(repo="some/thing", revision="main")
    assert thing.tasks == ("fill_mask",)


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ('title = "Thing"\n', "", r"\[thing\] title: Field required"),
        ('title = "Thing"', 'title = ""', r"\[thing\] title: must not be empty"),
        ('title = "Thing"', 'titel = "Thing"', r"\[thing\] titel: unknown field"),
        ("parameters = 10", 'parameters = "many"', r"\[thing\] parameters: "),
        ("parameters = 10", "parameters = 0", r"\[thing\] parameters: must be positive"),
        ('"masked-lm"', '"masked"', r"\[thing\] head: "),
        ('tasks = ["fill_mask"]', 'tasks = "fill_mask"', r"\[thing\] tasks: "),
        ("hub = [", "web = [", r"\[thing\] default_for.web: no such profile"),
        ('hub = ["fill_mask"]', 'hub = ["sing"]', r"\[thing\] default_for.hub: sing is not among its tasks"),
        ("hub = [", "embedded = [", r"\[thing\] default_for.embedded: this checkpoint needs the Hub"),
        ('kind = "hub"', 'kind = "ftp"', r"\[thing.source\] kind: must be one of"),
        ('repo = "some/thing"', "", r"\[thing.source\] repo: Field required"),
        (
            'repo = "some/thing"',
            'repo = "some/thing"\nbranch = "x"',
            r"\[thing.source\] branch: unknown field",
        ),
        ("[thing.source]", "[thing.source", "not valid TOML"),
        ("[thing]\n", "stray = 1\n[thing]\n", r"\[stray\]: must be a table"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, good: str, bad: str, message: str) -> None:
    assert good in GOOD
    file = tmp_path / "catalog.toml"
    file.write_text(GOOD.replace(good, bad))
    with pytest.raises(CatalogError, match=message):
        load_catalog(file)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("package", "thing", "must be pinned"),
        ("package", "thing==1 --index-url x", "must be pinned"),
        ("package", "-r==1", "must be pinned"),
        ("sha256", "abc", "64 lower-case"),
        ("folder", "../outside", "folder inside the wheel"),
        ("file", "a/b", "folder inside the wheel"),
    ],
)
def test_a_wheel_source_is_checked(tmp_path: Path, field: str, value: str, message: str) -> None:
    source = {
        "kind": "wheel",
        "package": "thing==1",
        "folder": "a",
        "file": "b",
        "sha256": "0" * 64,
        "upstream": "c",
    }
    lines = "".join(f'{key} = "{word}"\n' for key, word in {**source, field: value}.items())
    file = tmp_path / "catalog.toml"
    file.write_text(GOOD.split("[thing.source]")[0] + "[thing.source]\n" + lines)
    with pytest.raises(CatalogError, match=message):
        load_catalog(file)


BODY = (
    GOOD.replace("thing", "body").replace('"masked-lm"', '"encoder"').replace("default_for", "# default_for")
)
ADAPTER = (
    GOOD.split("[thing.source]")[0].replace("hub = [", "embedded = [")
    + 'body = "body"\n[thing.source]\nkind = "repo"\nfolder = "thing"\n'
)


def test_a_body_is_the_checkpoint_it_names(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text(ADAPTER.replace("embedded =", "hub =") + BODY)
    thing, body = load_catalog(file)
    assert thing.body == body
    assert (thing.whole_parameters, thing.whole_download_bytes) == (20, 40)
    assert not thing.embedded, "its body needs the Hub"


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ('body = "body"', 'body = "soul"', r"\[thing\] body: there is no checkpoint 'soul'"),
        ('body = "body"', "body = 5", r"\[thing\] body: there is no checkpoint 5"),
        ('body = "body"', 'body = "thing"', r"\[thing\] body: thing has a body itself"),
        ('"encoder"', '"causal-lm"', r"\[thing\] body: body has the head causal-lm; a body must be"),
        ('kind = "repo"\nfolder', 'kind = "hub"\nrepo', r"\[thing\] body: only .* repo or local"),
        ("embedded = [", "embedded = [", r"\[thing\] default_for.embedded: this checkpoint needs the Hub"),
    ],
)
def test_a_wrong_body_is_named(tmp_path: Path, good: str, bad: str, message: str) -> None:
    text = BODY + (ADAPTER if good == bad else ADAPTER.replace("embedded =", "hub ="))
    assert good in text
    file = tmp_path / "catalog.toml"
    file.write_text(text.replace(good, bad))
    with pytest.raises(CatalogError, match=message):
        load_catalog(file)


def test_a_body_outside_the_catalog_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text(ADAPTER.replace("embedded =", "hub =") + BODY)
    thing, _ = load_catalog(file)
    with pytest.raises(CatalogError, match=r"\[thing\] body: there is no checkpoint 'body' in the catalog"):
        Catalog([thing])


def test_two_defaults_for_one_task_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text(GOOD + GOOD.replace("[thing", "[other"))
    with pytest.raises(
        CatalogError, match=r"\[other\] default_for: thing is already the default of fill_mask"
    ):
        load_catalog(file)
