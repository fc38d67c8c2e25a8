"""Where tokenizers come from: files alone, fetched once, by whatever name a visitor may give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from components.models.catalog import Catalog, load_catalog
from components.models.errors import Code, TourError
from components.models.registry import Availability, Registry
from components.models.settings import Settings
from components.models.tokenizers import MOST_TRAINED, Tokenizers
from tests.fakes import checkpoints
from tests.fakes.hub import FakeHub, closed_port, running_hub

REPO = "somebody/speller"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    folder = checkpoints.tiny_causal_lm(tmp_path / "speller")
    with running_hub({REPO: folder}) as hub:
        yield hub


def settings(tmp_path: Path, endpoint: str, *, any_checkpoint: bool = True) -> Settings:
    return Settings(
        cache_dir=tmp_path / "cache", device="cpu", hub_endpoint=endpoint, any_checkpoint=any_checkpoint
    )


def test_of_any_repository_without_its_weights(tmp_path: Path, hub: FakeHub) -> None:
    tokenizers = Tokenizers(Registry(Catalog([]), settings(tmp_path, hub.endpoint)))
    assert tokenizers.get(REPO).encode("one two")[0].piece == "one"
    assert hub.downloads("tokenizer.json") == 1
    assert hub.downloads("model.safetensors") == 0


def test_fifty_visitors_cause_one_download(tmp_path: Path, hub: FakeHub) -> None:
    tokenizers = Tokenizers(Registry(Catalog([]), settings(tmp_path, hub.endpoint)))
    found: list[object] = []
    threads = [Thread(target=lambda: found.append(tokenizers.get(REPO))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 50
    assert len({id(one) for one in found}) == 1
    assert hub.downloads("tokenizer.json") == 1


def test_a_weightless_download_is_completed_when_the_model_is_asked_for(tmp_path: Path, hub: FakeHub) -> None:
    registry = Registry(load_catalog(), settings(tmp_path, hub.endpoint))
    Tokenizers(registry).get(REPO)
    checkpoint = registry.adopt(REPO)
    assert registry.status(checkpoint.id).availability is not Availability.CACHED
    with registry.lease(REPO) as model:
        assert model.nbytes > 0
    registry.close()


@pytest.mark.parametrize("id", ["", "nobody", "../../etc/passwd", "\ud800", "x" * 10_000, "a/b/c"])
def test_what_is_no_name_is_refused(tmp_path: Path, hub: FakeHub, id: str) -> None:
    with pytest.raises(TourError) as caught:
        Tokenizers(Registry(load_catalog(), settings(tmp_path, hub.endpoint))).get(id)
    assert caught.value.code is Code.UNKNOWN_MODEL
    assert caught.value.field == "tokenizers"
    assert "all-MiniLM-L6-v2" in caught.value.message


def test_repositories_are_refused_where_the_catalog_is_all(tmp_path: Path, hub: FakeHub) -> None:
    closed = Registry(load_catalog(), settings(tmp_path, hub.endpoint, any_checkpoint=False))
    with pytest.raises(TourError) as caught:
        Tokenizers(closed).get(REPO)
    assert caught.value.code is Code.UNKNOWN_MODEL


def test_without_the_hub_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(TourError) as caught:
        Tokenizers(Registry(load_catalog(), settings(tmp_path, closed_port()))).get(REPO)
    assert caught.value.code is Code.UNREACHABLE
    assert "cannot be reached" in caught.value.message


def test_a_repository_without_a_tokenizer_is_refused(tmp_path: Path, hub: FakeHub) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "config.json").write_text("{}")
    hub.repos["somebody/nothing"] = empty
    with pytest.raises(TourError) as caught:
        Tokenizers(Registry(load_catalog(), settings(tmp_path, hub.endpoint))).get("somebody/nothing")
    assert caught.value.code is Code.UNSUITABLE_MODEL


def test_trained_ones_are_kept_while_there_is_room(tmp_path: Path, hub: FakeHub) -> None:
    tokenizers = Tokenizers(Registry(Catalog([]), settings(tmp_path, hub.endpoint)))
    own = tokenizers.get(REPO)
    first, *others = (tokenizers.add(own) for _ in range(MOST_TRAINED + 1))
    assert tokenizers.get(others[0]) is own
    with pytest.raises(TourError, match="Train it again"):
        tokenizers.get(first)


def test_adapters_share_their_bodys(registry: Registry) -> None:
    tokenizers = Tokenizers(registry)
    assert tokenizers.get("sentiment") is tokenizers.get("all-MiniLM-L6-v2")
