"""Questions that a text nearly answers, made from ones that it does (after Rajpurkar et al. 2018,
https://arxiv.org/abs/1806.03822, who had people write them).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from components.tasks.sentences import sentences
from components.training.questions import Question

# Questions on either side whose texts are those of the same article, or of one like it.
NEAR = 60
_TOKEN = re.compile(r"\w+(?:['’.\-]\w+)*|[^\w\s]")
_NUMBER = re.compile(r"\b\d{2,}\b")
_DATE = re.compile(
    r"\d|\b(january|february|march|april|may|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(in|at|near|from|to|on|of|across)\s+(the\s+)?[A-Z]")
_REASON = re.compile(
    r"\b(because|since|due|for|as|so|to|result|thus|therefore|reason|caused?)\b", re.IGNORECASE
)
_AGENT = re.compile(r"\bby\b|\b[A-Z]\w+ \w+ed\b")
# Words of questions that say little of what is asked for; shorter ones are left out by their length.
_QUESTION_WORDS = frozenset(
    (
        *("what", "when", "where", "which", "whom", "whose", "many", "much", "long", "often", "year", "name"),
        *("type", "kind", "does", "were", "have", "been", "being", "that", "this", "these", "those", "with"),
        *("from", "into", "onto", "upon", "about", "than", "then", "there", "their", "they", "them", "other"),
        *("some", "would", "could", "should", "also", "after", "before", "during", "between", "the", "did"),
        *("was", "are", "has", "had", "who", "why", "how"),
    )
)
_CONTRARY = (
    *(("first", "last"), ("largest", "smallest"), ("highest", "lowest")),
    *(("north", "south"), ("northern", "southern"), ("east", "west"), ("eastern", "western")),
    *(("before", "after"), ("began", "ended"), ("begin", "end"), ("start", "finish"), ("won", "lost")),
    *(("increase", "decrease"), ("increased", "decreased"), ("oldest", "youngest"), ("early", "late")),
    *(("born", "buried"), ("bought", "sold"), ("married", "divorced"), ("opened", "closed")),
    *(("minimum", "maximum"), ("major", "minor"), ("male", "female"), ("above", "below")),
    *(("mother", "father"), ("brother", "sister"), ("son", "daughter"), ("wife", "husband")),
)
# Asked for otherwise, with what a text may not have if it is not to answer that.
_OTHERWISE = tuple(
    (re.compile(asked, re.IGNORECASE), other, absent)
    for asked, other, absent in (
        (r"^when\b", "Where", _PLACE),
        (r"^when\b", "Why", _REASON),
        (r"^where\b", "When", _DATE),
        (r"^where\b", "Why", _REASON),
        (r"\bwhat year\b", "what city", _PLACE),
        (r"\b(?:what|which) (?:city|country|state)\b", "what year", _DATE),
        (r"^when (?:was|were) (.+) (\w+ed)\?", r"Who \2 \1?", _AGENT),
        (r"^who (\w+ed) (.+)\?", r"When was \2 \1?", _DATE),
        (r"^who (\w+ed) (.+)\?", r"Where was \2 \1?", _PLACE),
    )
)


@dataclass(frozen=True)
class _Phrase:
    """`text[start:end]` is a name or another word of weight, between two tokens."""

    start: int
    end: int
    name: bool
    frame: tuple[str, str]


class Swaps:
    """Words and names for the places in which questions have others."""

    def __init__(self, asked: Iterable[str]) -> None:
        self._frames: dict[tuple[bool, str, str], list[str]] = defaultdict(list)
        for question in asked:
            for phrase in _phrases(question):
                for frame in _frames(phrase):
                    self._frames[frame].append(question[phrase.start : phrase.end])

    def swapped(self, one: Question, random: Random, *, names: bool = False) -> Question | None:
        """Asked about somebody or something that the text does not have; with `names` somebody else, or
        another place."""
        context = one.context.casefold()
        phrases = [
            phrase
            for phrase in _phrases(one.question)
            if (phrase.name or not names) and _stem(one.question[phrase.start : phrase.end]) in context
        ]
        random.shuffle(phrases)
        if random.random() < 0.7:
            phrases.sort(key=lambda phrase: not phrase.name)
        for phrase in phrases:
            other = self.other(one.question[phrase.start : phrase.end], phrase, context, random)
            if other is not None:
                question = one.question[: phrase.start] + other + one.question[phrase.end :]
                return replace(one, question=question, answers=())
        return None

    def renamed(self, one: Question, random: Random) -> Question | None:
        """With another name in question and text, still answered: what is not known is no sign of a miss."""
        context = one.context.casefold()
        for phrase in _phrases(one.question):
            name = one.question[phrase.start : phrase.end]
            places = list(re.finditer(rf"\b{re.escape(name)}\b", one.context)) if phrase.name else []
            if not places or any(
                start < place.end() and place.start() < start + len(answer)
                for answer, start in one.answers
                for place in places
            ):
                continue
            if (other := self.other(name, phrase, context, random)) is None:
                continue
            longer = len(other) - len(name)
            return Question(
                one.question[: phrase.start] + other + one.question[phrase.end :],
                re.sub(rf"\b{re.escape(name)}\b", lambda _: other, one.context),
                tuple(
                    (answer, start + longer * sum(place.end() <= start for place in places))
                    for answer, start in one.answers
                ),
            )
        return None

    def other(self, known: str, phrase: _Phrase, context: str, random: Random) -> str | None:
        for frame in _frames(phrase):
            for other in random.sample(self._frames[frame], min(8, len(self._frames[frame]))):
                if _stem(other) not in context and _stem(other)[:4] != _stem(known)[:4]:
                    return other
        return None


def cut(one: Question) -> Question | None:
    """Put to its own text without the sentences that hold an answer."""
    kept = [
        sentence.of(one.context)
        for sentence in sentences(one.context)
        if not any(
            start < sentence.end and sentence.start < start + len(answer) for answer, start in one.answers
        )
    ]
    return _unanswered(one, " ".join(kept)) if kept else None


def elsewhere(one: Question, texts: Iterable[str]) -> Question | None:
    """Put to that of other texts which has most of its words."""
    words = Counter(_words(one.question))
    others = [text for text in texts if text != one.context]
    for text in sorted(others, key=lambda text: -(words & Counter(set(_words(text)))).total())[:3]:
        if (found := _unanswered(one, text)) is not None:
            return found
    return None


def contrary(one: Question, random: Random) -> Question | None:
    """Asked for another number, or for the contrary, of which the text has nothing."""
    context = one.context.casefold()
    for number in _NUMBER.findall(one.question):
        other = str(max(10, int(number) + random.choice((-1, 1)) * random.randint(1, 30)))
        if number in context and other not in context:
            return replace(one, question=one.question.replace(number, other), answers=())
    for pair in _CONTRARY:
        for word, other in (pair, pair[::-1]):
            pattern = re.compile(rf"\b{word}\b", re.IGNORECASE)
            if pattern.search(one.question) and pattern.search(one.context) and other not in context:
                return replace(one, question=pattern.sub(other, one.question), answers=())
    return None


def retyped(one: Question, random: Random) -> Question | None:
    """Asked for a place, a time or a reason, of which the text has none."""
    for pattern, other, absent in random.sample(_OTHERWISE, len(_OTHERWISE)):
        cased = absent is not _PLACE or not one.context.islower()
        if cased and pattern.search(one.question) and not absent.search(one.context):
            return replace(one, question=pattern.sub(other, one.question, count=1), answers=())
    return None


def near_misses(asked: Sequence[Question], share: float, swaps: Swaps, random: Random) -> Iterator[Question]:
    """Near misses of a share of the questions, in their order."""
    for index in sorted(random.sample(range(len(asked)), round(share * len(asked)))):
        if (found := near_miss(asked, index, swaps, random)) is not None:
            yield found


def near_miss(asked: Sequence[Question], index: int, swaps: Swaps, random: Random) -> Question | None:
    """A near miss of one of the kinds, made of `asked[index]` and those around it."""
    one = asked[index]
    kinds: dict[Callable[[], Question | None], int] = {
        lambda: cut(one): 30,
        lambda: elsewhere(one, near(asked, index)): 25,
        lambda: swaps.swapped(one, random): 30,
        lambda: contrary(one, random) or retyped(one, random): 15,
    }
    left = dict(kinds)
    while left:
        (kind,) = random.choices(list(left), list(left.values()))
        del left[kind]
        if (found := kind()) is not None:
            return found
    return None


def near(asked: Sequence[Question], index: int) -> list[str]:
    """The texts of the questions around one."""
    return list(dict.fromkeys(one.context for one in asked[max(0, index - NEAR) : index + NEAR]))


def _unanswered(one: Question, text: str) -> Question | None:
    if any(answer.casefold() in text.casefold() for answer, _ in one.answers):
        return None
    return Question(one.question, text, ())


def _words(text: str) -> list[str]:
    return [
        _stem(word)
        for word in _TOKEN.findall(text)
        if len(word) > 2 and word.casefold() not in _QUESTION_WORDS
    ]


def _stem(word: str) -> str:
    return word.casefold()[: max(4, len(word) - 3)] if " " not in word else word.casefold()


def _frames(phrase: _Phrase) -> tuple[tuple[bool, str, str], ...]:
    """Where a phrase stands; a name also fits where only the word before is the same."""
    before, after = phrase.frame
    exact = (phrase.name, before, after)
    return (exact, (True, before, "")) if phrase.name else (exact,)


def _phrases(question: str) -> list[_Phrase]:
    """Names, which may have several words, and other words that say what is asked."""
    tokens = list(_TOKEN.finditer(question))
    names = [index > 0 and token[0][0].isupper() for index, token in enumerate(tokens)]
    found, index = [], 1
    while index < len(tokens):
        last = index
        if names[index]:
            while last + 1 < len(tokens) and names[last + 1]:
                last += 1
        word = tokens[index][0].casefold()
        if names[index] or (len(word) > 3 and word.isalpha() and word not in _QUESTION_WORDS):
            before = tokens[index - 1][0].casefold()
            after = tokens[last + 1][0].casefold() if last + 1 < len(tokens) else "?"
            found.append(_Phrase(tokens[index].start(), tokens[last].end(), names[index], (before, after)))
        index = last + 1
    return found
