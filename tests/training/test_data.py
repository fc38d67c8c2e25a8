"""Readers: each publisher's format, from small files with the shape of the real ones."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import datasets
import pytest

from components.training import data, entailment
from components.training.data import Abstract, Labelled, Tagged
from components.training.questions import Question, questions


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path.with_name(path.name + ".gz"), "wt", encoding="utf-8", newline="") as file:
        file.write(content)


def test_sst2(tmp_path: Path) -> None:
    write(tmp_path / "sst2/glue_dev.tsv", "sentence\tlabel\na quiet gem \t1\ndull\u2028and long\t0\n")
    assert data.load("sst2", tmp_path, "dev") == [
        Labelled("a quiet gem", ("positive",)),
        Labelled("dull\u2028and long", ("negative",)),
    ]


def test_goemotions_in_ekman_groups_each_once(tmp_path: Path) -> None:
    names = "admiration\namusement\nanger\nneutral\n"
    (tmp_path / "goemotions").mkdir()
    (tmp_path / "goemotions/labels.txt").write_text(names)
    write(tmp_path / "goemotions/test.tsv", "So good!\t0,1,2\tid1\nIt is Monday.\t3\tid2\n")
    assert data.load("goemotions", tmp_path, "test") == [
        Labelled("So good!", ("joy", "anger")),
        Labelled("It is Monday.", ("neutral",)),
    ]


def test_every_emotion_has_one_group() -> None:
    members = [emotion for group in data.EKMAN.values() for emotion in group]
    assert len(members) == len(set(members)) == 28


def test_snli_with_names_and_with_numbers(tmp_path: Path) -> None:
    row = {"premise": "A dog runs.", "hypothesis": "An animal moves."}
    write(tmp_path / "snli/train_18k.jsonl", json.dumps({**row, "label": "neutral"}) + "\n")
    write(tmp_path / "snli/snli_clean_test.jsonl", json.dumps({**row, "label": 0}) + "\n")
    (train,) = data.load("snli", tmp_path, "train")
    (test,) = data.load("snli", tmp_path, "test")
    assert train == Labelled("A dog runs.", ("neutral",), "An animal moves.")
    assert test == Labelled("A dog runs.", ("entailment",), "An animal moves.")


def test_entities_of_three_sets_under_the_same_types(tmp_path: Path) -> None:
    write(tmp_path / "ner_uner_ewt/bio_test.txt", "Ada\tB-PER\nLovelace\tI-PER\n\nOslo\tB-LOC\n")
    write(tmp_path / "ner_wnut17/train.conll", "Acme\tB-corporation\nOne\tB-product\n.\tO\n\t\n")
    for section in "abeg":
        write(tmp_path / f"ner_btc/{section}.conll", f"Bob\tB-PER\n{section}\tO\n\n")
    write(tmp_path / "ner_btc/h.conll", "one\tO\n\ntwo\tO\n\n")
    assert data.load("ner_uner_ewt", tmp_path, "test") == [
        Tagged(("Ada", "Lovelace"), ("B-PER", "I-PER")),
        Tagged(("Oslo",), ("B-LOC",)),
    ]
    assert data.load("ner_wnut17", tmp_path, "train") == [Tagged(("Acme", "One", "."), ("B-ORG", "O", "O"))]
    tweets = data.load("ner_btc", tmp_path, "train")
    assert len(tweets) == 5  # the second half of h is for tuning
    assert tweets[-1] == Tagged(("one",), ("O",))


def test_scitldr(tmp_path: Path) -> None:
    row = {"source": ["We try.", "It works."], "target": ["It works."]}
    write(tmp_path / "scitldr/SciTLDR-A_dev.jsonl", json.dumps(row) + "\n")
    assert data.load("scitldr", tmp_path, "dev") == [Abstract(("We try.", "It works."), ("It works.",))]


def test_questions_on_paragraphs_and_on_sentences(tmp_path: Path) -> None:
    paragraph = {
        "context": "Oslo is in Norway.",
        "qas": [{"question": "Where?", "answers": [{"text": "Norway", "answer_start": 11}]}],
    }
    write(tmp_path / "a.json", json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]}))
    flat = {
        "question": "Where?",
        "context": "Oslo is in Norway.",
        "answers": {"text": ["Norway"], "answer_start": [11]},
    }
    write(tmp_path / "b.jsonl", json.dumps({**flat, "in_subset": True}) + "\n" + json.dumps(flat) + "\n")
    wanted = [Question("Where?", "Oslo is in Norway.", (("Norway", 11),))]
    assert questions(tmp_path / "a.json") == questions(tmp_path / "b.jsonl") == wanted


def test_a_set_that_is_not_in_the_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--data"):
        data.load("scitldr", tmp_path, "train")


def test_rows_as_the_hub_has_them(tmp_path: Path) -> None:
    """`load_dataset` reads a folder of Parquet files as it reads the Hub's."""
    labels = datasets.Sequence(datasets.ClassLabel(names=["anger", "neutral", "amusement"]))
    table = datasets.Dataset.from_dict(
        {"text": ["Ha!"], "labels": [[2, 1]]},
        features=datasets.Features({"text": datasets.Value("string"), "labels": labels}),
    )
    (tmp_path / "emotions").mkdir()
    table.to_parquet(tmp_path / "emotions/validation.parquet")
    for name, expected in (("goemotions", ("joy", "neutral")), ("emotions", ("amusement", "neutral"))):
        local = data.OnHub(str(tmp_path / "emotions"), data.ON_HUB[name].example)
        assert data.from_hub(local, "dev") == [Labelled("Ha!", expected)]


def test_hypotheses_are_made_of_the_emotions_that_readers_found() -> None:
    texts = [
        Labelled("So kind!", ("gratitude",)),
        Labelled("Hm.", ("neutral",)),
        Labelled("Oh no", ("fear", "sadness")),
        Labelled("Go", ("anger",)),
    ]
    made = list(entailment.hypotheses(texts, ["This person feels {}."], random.Random(0)))
    assert [(one.text, one.labels) for one in made] == [
        ("So kind!", ("entailment",)),
        ("So kind!", ("contradiction",)),
        ("Go", ("entailment",)),
        ("Go", ("contradiction",)),
    ]
    assert [one.pair for one in made[::2]] == ["This person feels gratitude.", "This person feels anger."]
    assert made[1].pair in {f"This person feels {name}." for name in ("anger", "fear", "sadness")}
