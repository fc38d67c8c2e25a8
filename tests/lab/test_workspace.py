"""Visitors' folders: apart from each other, bounded, and cleaned."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from components.lab.lab import Lab
from components.lab.workspace import KEEP, Workspace, Workspaces, new_key
from components.models.catalog import Catalog
from components.models.errors import TourError
from components.models.registry import Registry
from components.models.settings import Settings


def some(root: Path, *, budget: int = 10_000, each: int = 4_000, held: tuple[Path, ...] = ()) -> Workspaces:
    return Workspaces(root, budget=budget, each=each, removing=lambda folder: folder not in held)


def fill(workspace: Workspace, nbytes: int, *, hours_ago: float = 0) -> None:
    (workspace.data / "file").write_bytes(bytes(nbytes))
    then = time.time() - 3600 * hours_ago
    os.utime(workspace.folder / "used", (then, then))


def test_a_key_opens_one_folder_and_its_name_does_not_tell_the_key(tmp_path: Path):
    workspaces, key = some(tmp_path), new_key()
    assert workspaces.open(key) == workspaces.open(key)
    assert workspaces.open(new_key()) != workspaces.open(key)
    assert key not in str(workspaces.open(key).folder)


@pytest.mark.parametrize("key", [None, "", "short", "../../../etc/passwd-and-more", "a" * 65, 7, {"a": 1}])
def test_what_is_no_key_opens_nothing(tmp_path: Path, key: object):
    with pytest.raises(TourError, match="Reload the page"):
        some(tmp_path / "lab").open(key)
    assert not (tmp_path / "lab").exists()


def test_what_nobody_uses_any_more_is_removed(tmp_path: Path):
    workspaces = some(tmp_path)
    old, new = (workspaces.open(new_key()) for _ in range(2))
    fill(old, 10, hours_ago=KEEP / 3600 + 1)
    fill(new, 10)
    workspaces.sweep()
    assert not old.folder.exists()
    assert new.folder.exists()


def test_beyond_the_budget_those_go_that_were_used_longest_ago(tmp_path: Path):
    workspaces = some(tmp_path)
    for hours in (3, 2, 1, 0):
        fill(workspaces.open(new_key()), 3_500, hours_ago=hours)
    last, *rest = reversed([one.folder for one in workspaces])
    workspaces.sweep()
    assert [one.folder for one in workspaces] == [rest[0], last]


def test_a_folder_that_is_in_use_stays(tmp_path: Path):
    key = new_key()
    used = some(tmp_path).open(key)
    fill(used, 3_000, hours_ago=KEEP / 3600 + 1)
    some(tmp_path, held=(used.folder,)).sweep()
    assert used.folder.exists()


def test_a_visitor_cannot_take_more_than_their_share(tmp_path: Path):
    workspaces = some(tmp_path)
    mine = workspaces.open(new_key())
    fill(mine, 3_000)
    workspaces.make_room(mine, 900)
    with pytest.raises(TourError, match="Remove runs or data"):
        workspaces.make_room(mine, 1_100)


def test_room_is_made_by_removing_what_others_have_left(tmp_path: Path):
    workspaces = some(tmp_path)
    for hours in (3, 2, 1):
        fill(workspaces.open(new_key()), 3_000, hours_ago=hours)
    oldest = next(iter(workspaces))
    mine = workspaces.open(new_key())
    workspaces.make_room(mine, 3_500)
    assert not oldest.folder.exists()
    assert len(list(workspaces)) == 3


def test_where_all_are_in_use_the_disk_is_full(tmp_path: Path):
    keys = [new_key() for _ in range(3)]
    held = tuple(some(tmp_path).open(key).folder for key in keys)
    workspaces = some(tmp_path, held=held)
    for key in keys:
        fill(workspaces.open(key), 3_000)
    with pytest.raises(TourError, match="taken by others"):
        workspaces.make_room(workspaces.open(new_key()), 3_000)
    assert all(folder.exists() for folder in held)


def test_two_servers_on_one_host_do_not_share_folders(tmp_path: Path):
    settings = Settings(cache_dir=tmp_path)
    registry = Registry(Catalog(()), settings)
    first, second = Lab(registry, settings), Lab(registry, settings)
    assert first.workspaces.root != second.workspaces.root
    first.close()
    third = Lab(registry, settings)
    assert third.workspaces.root == first.workspaces.root
    for lab in (second, third):
        lab.close()


def test_what_comes_and_goes_while_it_is_measured_is_no_error(tmp_path: Path) -> None:
    workspace = some(tmp_path).open(new_key())
    (workspace.folder / "kept").write_bytes(bytes(1000))
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            folder = workspace.folder / "checkpoints" / "new"
            folder.mkdir(parents=True)
            (folder / "weights").write_bytes(bytes(10))
            shutil.rmtree(folder.parent)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        measured = {workspace.nbytes for _ in range(2000)}
    finally:
        over.set()
        worker.join()
    assert measured <= {1000, 1010}
