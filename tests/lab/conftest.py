"""A lab on the weights that this host has, with its own folder for visitors' files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from components.lab.data import SPLITS, About, Data
from components.lab.lab import Lab
from components.lab.workspace import Workspace, new_key
from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir

EMOTIONS = ("joy", "sadness")
MESSAGES = {
    "joy": ("We won the cup!", "My sister is home at last.", "Cake for everyone, the exam is over."),
    "sadness": ("The old dog died on Sunday.", "Nobody came to my party.", "I miss the house by the sea."),
}

MakeData = Callable[..., Data]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    settings = Settings(cache_dir=default_cache_dir())
    registry = Registry(load_catalog(), settings)
    lab = Lab(registry, settings, root=tmp_path / "lab")
    yield lab
    lab.close()
    registry.close()


@pytest.fixture
def workspace(lab: Lab) -> Workspace:
    return lab.workspaces.open(new_key())


@pytest.fixture(scope="session")
def make_data() -> MakeData:
    """Makes a data set of two classes in a workspace; each text is there `times` in each split."""

    def make(workspace: Workspace, *, title: str = "two emotions", times: int = 4) -> Data:
        rows = [
            (f"{text} {number}", EMOTIONS.index(label), split)
            for number in range(times)
            for split in range(len(SPLITS))
            for label, texts in MESSAGES.items()
            for text in texts
        ]
        texts, labels, splits = zip(*rows, strict=True)
        table = pa.table({"text": texts, "label": [EMOTIONS[label] for label in labels]})
        file = workspace.folder / "new.arrow"
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        about = About(
            title=title,
            source="a test",
            licence="not stated",
            text="text",
            label="label",
            split=None,
            labels=EMOTIONS,
        )
        name = f"data-{len(list(workspace.data.iterdir()))}"
        data = Data.write(workspace.data / name, file, about, np.array(labels), np.array(splits))
        workspace.choose(data.id)
        return data

    return make
