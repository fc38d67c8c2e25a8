"""Reviews that are made up, and comments whose emotions are a judgement."""

from __future__ import annotations

from itertools import islice
from random import Random

from components.training.data import Labelled
from components.training.evaluation import sentiment as evaluation
from components.training.sentiment import comments, reviews


def test_made_up_reviews_are_whole_balanced_and_of_none_that_is_measured_on() -> None:
    made = list(islice(reviews(Random(0)), 3000))
    assert not any("{" in one.text or "}" in one.text for one in made)
    assert 0.45 < sum(one.labels == ("positive",) for one in made) / len(made) < 0.55
    held = {one.text.casefold().rstrip(".") for one in evaluation.reviews()}
    assert held.isdisjoint(one.text.casefold().rstrip(".") for one in made)


def test_what_is_measured_on_is_balanced() -> None:
    labels = [one.labels for one in evaluation.reviews()]
    assert labels.count(("positive",)) == labels.count(("negative",)) == 77


def test_comments_with_one_judgement() -> None:
    texts = [
        Labelled("Thanks, lovely!", ("gratitude", "love")),
        Labelled("Awful.", ("disgust",)),
        Labelled("Lovely and sad.", ("love", "sadness")),
        Labelled("Oh!", ("surprise",)),
        Labelled("It is noon.", ("neutral",)),
    ]
    assert [(one.text, one.labels) for one in comments(texts)] == [
        ("Thanks, lovely!", ("positive",)),
        ("Awful.", ("negative",)),
    ]
