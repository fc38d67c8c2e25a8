"""What the translator is trained on: pairs from many files, varied as they are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
import torch
from transformers import MarianMTModel, MarianTokenizer, set_seed

from components.training import translator, variety, warm_start
from components.training.letters import letters
from components.training.parallel import Pair, corpora, german, key
from components.training.recipe import EMBEDDED, Recipe, recipes
from components.training.run import Batches, train

NAMES = variety.Names(["Okafor", "Rotterdam", "Henrietta", "Bauer", "Nimbus", "Annette", "Hannover"])
NOUNS = ["cat", "dog", "bird", "tree", "house", "river", "stone", "cloud", "road", "interface"]
COLOURS = [
    "red",
    "blue",
    "green",
    "small",
    "large",
    "old",
    "young",
    "quiet",
    "loud",
    "happy",
    "tired",
    "late",
]


def write(file: Path, lines: Iterable[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.fixture
def toy(tmp_path: Path) -> tuple[Recipe, Path]:
    """The recipe at its smallest, with pairs of a language that can be learned in a few steps."""
    data = tmp_path / "data"
    lines = [
        f"the {colour} {noun} is here {index}\tdas {colour}e {noun}o ist hier {index}"
        for index in range(45)
        for colour in COLOURS
        for noun in NOUNS
    ]
    write(data / "tatoeba_manythings/deu.txt", lines)
    write(
        data / "parallel/news.tsv",
        (f"in York {line}".replace("\t", "\tin York ") for line in lines),
    )
    write(data / "parallel/dev.tsv", ["in York the red cat is here 7\tnothing at all"])
    known = recipes()["translator-en-de-general"]
    extra = known.extra | {
        "vocabulary": 310,
        "width": 64,
        "encoder_layers": 2,
        "decoder_layers": 1,
        "start": "",
        "letters": 0.01,
        "held_out": ["parallel/dev.tsv"],
        "groups": [
            {"share": 0.5, "files": ["tatoeba_manythings/deu.txt"]},
            {"share": 0.49, "files": ["parallel/news.tsv"]},
        ],
    }
    return replace(known, epochs=0.2, batch=600, extra=extra, bfloat16=False), data


def test_the_translator_learns_a_toy_language(toy: tuple[Recipe, Path], tmp_path: Path) -> None:
    """From nothing to a checkpoint that the Auto classes load, in seconds."""
    recipe, data = toy
    set_seed(recipe.seed)
    job = translator.prepare(recipe, data)
    first = job.collate(cast(Batches, job.train)[0])
    before = float(job.network(**first).loss)
    train(recipe, job, tmp_path / "run", stop_after=30)
    assert float(job.network(**first).loss) < before - 1
    job.export(tmp_path / "export")
    tokenizer = MarianTokenizer.from_pretrained(tmp_path / "export")
    network: Any = MarianMTModel.from_pretrained(tmp_path / "export", dtype=torch.float32)
    ids = tokenizer("the red cat is here 7", return_tensors="pt")
    assert network.generate(**ids, max_new_tokens=5, num_beams=2).shape[1] > 1


def test_a_recipe_without_groups_trains_on_tatoeba_alone(toy: tuple[Recipe, Path], tmp_path: Path) -> None:
    known = recipes()["translator-en-de"]
    recipe = replace(known, epochs=0.2, batch=32, extra=known.extra | {"vocabulary": 310, "width": 64})
    job = translator.prepare(recipe, toy[1])
    first = job.collate(job.examples[:32])
    before = float(job.network(**first).loss)
    train(recipe, job, tmp_path / "run", stop_after=10)
    assert float(job.network(**first).loss) < before


def test_a_stopped_run_goes_on_where_it_was(toy: tuple[Recipe, Path], tmp_path: Path) -> None:
    """Batches, Muon's and AdamW's state and the learning rate are those of a run that was never stopped."""
    recipe, data = toy
    weights = []
    for name, stops in (("whole", (6,)), ("stopped", (3, 6))):
        for stop in stops:
            set_seed(recipe.seed)
            job = translator.prepare(replace(recipe, dropout=0.0), data)
            train(replace(recipe, dropout=0.0), job, tmp_path / name, save_every=3, stop_after=stop)
        weights.append(job.network.state_dict())
    for name, tensor in weights[0].items():
        torch.testing.assert_close(tensor, weights[1][name], atol=1e-5, rtol=1e-4)


def test_nothing_held_out_is_drawn(toy: tuple[Recipe, Path]) -> None:
    recipe, data = toy
    held = translator.held_out(data, recipe)
    assert key("In York, the RED cat is here 7!") in held
    sources = [[f"parallel/{name}.tsv" for name in ("dev", "news")], ["tatoeba_manythings/deu.txt"]]
    drawn = [pair for group in corpora(data, sources, held) for alike in group for pair in alike]
    assert drawn
    assert not held & {key(sentence) for pair in drawn for sentence in (pair.source, pair.target)}


def test_a_step_is_the_same_batch_whenever_it_is_asked_for(toy: tuple[Recipe, Path]) -> None:
    recipe, data = toy
    made = [translator.prepare(recipe, data).train for _ in range(2)]
    later = made[0][len(made[0]) + 3]
    assert made[0][5] == made[1][5]
    assert later == made[1][len(made[0]) + 3]
    assert later != made[0][3]


def test_each_source_is_drawn_before_any_comes_again(toy: tuple[Recipe, Path]) -> None:
    recipe, data = toy
    mixture = translator.prepare(recipe, data).train
    assert isinstance(mixture, translator.Mixture)
    group = range(50)
    found = [index for stretch in range(5) for index in mixture._indices(group, 20, stretch)]
    assert sorted(found[:50]) == sorted(found[50:]) == list(group)
    assert found[:50] != found[50:]


def test_the_tokenizer_writes_what_it_has_never_seen(toy: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, data = toy
    job = translator.prepare(recipe, data)
    job.export(tmp_path)
    tokenizer = MarianTokenizer.from_pretrained(tmp_path)
    for text in ("Żółć 😀 kostet 3000 €", "the red cat is here 7"):
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
        assert translator._encoder(tokenizer)([text]) == [ids]


def test_a_larger_network_begins_as_the_smaller_one(tmp_path: Path, toy: tuple[Recipe, Path]) -> None:
    """The same pieces, more layers: the same probabilities, or nearly; norms take away a little."""
    recipe, data = toy
    small = translator.prepare(recipe, data)
    train(recipe, small, tmp_path / "run", stop_after=30)
    batch = small.collate(cast(Batches, small.train)[0])
    small.export(tmp_path / "small")
    tokenizer = MarianTokenizer.from_pretrained(tmp_path / "small")
    config = translator._config(
        replace(recipe, extra=recipe.extra | {"encoder_layers": 4, "decoder_layers": 3}), tokenizer
    )
    large = MarianMTModel(config).eval()
    from_scratch = float(large(**batch).loss)
    warm_start.grown(large, tokenizer, tmp_path / "small")
    begun = float(large(**batch).loss)
    learned = float(
        MarianMTModel.from_pretrained(tmp_path / "small", dtype=torch.float32).eval()(**batch).loss
    )
    assert begun == pytest.approx(learned, abs=0.05)
    assert begun < from_scratch - 1


def test_a_vocabulary_is_made_able_to_write_everything(tmp_path: Path) -> None:
    """That of the shipped translator: what it could write has the ids that it had."""
    shipped = MarianTokenizer.from_pretrained(EMBEDDED / "translator-en-de")
    recipe = recipes()["translator-en-de-general"]
    pair = Pair("Where is the station?", "Wo ist „Żółć“ – ☃?")
    wide = translator._tokenizer(recipe, [pair] * 100)
    assert wide("Where is the station?")["input_ids"] == shipped("Where is the station?")["input_ids"]
    assert wide.pad_token_id == shipped.pad_token_id
    for text in ("Żółć ☃ kostet 3000 €", "愛 – 😀"):
        ids = wide(text)["input_ids"]
        assert wide.unk_token_id not in ids
        assert wide.decode(ids, skip_special_tokens=True) == text
    assert "☃" in wide.get_vocab()
    assert "😀" not in wide.get_vocab()


def test_names_and_numbers_are_swapped_on_both_sides() -> None:
    pair = Pair("Henrietta's cat cost 1,250 euros in 2012.", "Henriettas Katze kostete 2012 1.250 Euro.")
    swapped = variety.swapped(pair, NAMES, Random(4))
    assert "Henrietta" not in swapped.source
    name = swapped.source.split("'")[0]
    assert swapped.target.startswith(f"{name}s Katze")
    assert "1,250" not in swapped.source
    amount = swapped.source.split()[3]
    assert amount.replace(",", ".") in swapped.target.split()
    assert swapped.source.rstrip(".").split()[-1] in swapped.target.split()


def test_what_only_one_side_has_stays() -> None:
    pair = Pair("Munich has 2 parks and 31 schools.", "München hat zwei Parks und einunddreißig Schulen.")
    assert variety.swapped(pair, NAMES, Random(1)) == pair


def test_invented_names_are_new_and_speakable() -> None:
    random = Random(2)
    made = {NAMES.invented(random) for _ in range(200)}
    assert len(made - set(NAMES.known)) > 10
    assert all(name.isalpha() and name[0].isupper() and 3 <= len(name) <= 12 for name in made)


def test_every_letter_has_both_languages_filled_in() -> None:
    book = letters()
    for index, template in enumerate(book.templates):
        pair = replace(book, templates=[template]).draw(NAMES, Random(index))
        for sentence in (pair.source, pair.target):
            assert "{" not in sentence
            assert "|" not in sentence
            assert sentence[0].isupper()


def test_german_is_spelled_in_one_way(tmp_path: Path) -> None:
    lines = ["I know that.\tIch weiß, dass er es weiß."] * 6
    lines += ["He said that.\tEr sagte, daß er es weiss.", 'He says "no".\tEr sagt «nein»…']
    write(tmp_path / "a.tsv", [f"{line}" for line in lines])
    ((*_, late, quoted),) = corpora(tmp_path, [["a.tsv"]], frozenset())
    assert late[0].target == "Er sagte, dass er es weiß."
    assert quoted[0].target == "Er sagt „nein“..."
    assert german('"Komm", sagte er.') == "„Komm“, sagte er."
