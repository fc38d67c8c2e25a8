from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import transformers

from components.models.catalog import Catalog
from components.models.checkpoint import Head, LoadedModel
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks import languages
from components.tasks.languages import LANGUAGES
from components.tasks.loops import loops
from components.tasks.runner import Runner
from components.tasks.translation import TASK, Translation
from components.tasks.translation.beam_search import STRICTER
from tests.fakes import checkpoints
from tests.fakes.checkpoints import local_entry

FAMILIES = ["marian", "many-to-many", "t5"]
SENTENCES = [
    "It was late.",
    "She put the bread in the oven and baked it.",
    "The fox jumps!",
    "The quick brown fox looked at my watch.",
]


@pytest.fixture(scope="module")
def translators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    root = tmp_path_factory.mktemp("translators")
    builders = [
        checkpoints.tiny_marian,
        checkpoints.tiny_many_to_many,
        checkpoints.tiny_t5,
        checkpoints.tiny_bart,
    ]
    entries = [
        local_entry(name, Head.SEQ2SEQ_LM, build(root / name, seed=3), (TASK.name,))
        for name, build in zip([*FAMILIES, "bart"], builders, strict=True)
    ]
    registry = Registry(Catalog(entries), Settings(cache_dir=root / "cache", device="cpu"))
    yield Runner(registry, "embedded")
    registry.close()


def translate(runner: Runner, text: str, model: str = "marian", **options: object) -> Translation:
    payload = {"text": text, "model": model, "num_beams": 2, **options}
    result: Translation = runner.call(TASK, payload).result
    return result


def plainly(model: LoadedModel, sentence: str, target: str, **options: object) -> list[torch.Tensor]:
    """What `generate()` gives for one sentence, each family told in its own way."""
    tokenizer = model.tokenizer
    told: dict[str, object] = {}
    if isinstance(tokenizer, transformers.M2M100Tokenizer):
        tokenizer.src_lang = "en"
        told = {"forced_bos_token_id": tokenizer.get_lang_id(target)}
    elif isinstance(tokenizer, transformers.T5Tokenizer):
        sentence = f"translate English to {'German' if target == 'de' else 'French'}: {sentence}"
    row = tokenizer(sentence, return_tensors="pt")
    longest = 64 * (1 + row["input_ids"].shape[1] // 32)
    generate = model.network.generate
    given = {"max_new_tokens": longest, "num_beams": 2, "do_sample": False, **told, **options}
    ids = generate(input_ids=row["input_ids"], attention_mask=row["attention_mask"], **given)  # type: ignore[operator]
    return [one[1 + len(told) :] for one in ids]


def guarded(model: LoadedModel, sentence: str, target: str) -> str:
    """The translation of one sentence: what `generate()` gives, and stricter if that is nothing or goes round
    in circles; else the sentence itself."""
    for options in ({}, STRICTER):
        (ids,) = plainly(model, sentence, target, **options)
        text = str(model.tokenizer.decode(ids, skip_special_tokens=True)).strip()
        if text and not loops(text, sentence):
            return text
    return sentence


@pytest.mark.parametrize("family", FAMILIES)
def test_each_sentence_is_what_generate_gives_for_it_alone(family: str, translators: Runner) -> None:
    result = translate(translators, " ".join(SENTENCES), family, target="de")
    assert [segment.source for segment in result.segments] == SENTENCES
    with translators.registry.lease(family) as model:
        expected = [guarded(model, one, "de") for one in SENTENCES]
    assert [segment.translation for segment in result.segments] == expected
    assert result.translation == " ".join(expected)


@pytest.mark.parametrize("family", FAMILIES[1:])
def test_another_target_is_another_translation(family: str, translators: Runner) -> None:
    texts = {
        translate(translators, " ".join(SENTENCES), family, target=target).translation
        for target in ("de", "fr")
    }
    assert len(texts) == 2


def test_what_stands_between_sentences_stays(translators: Runner) -> None:
    text = "\n  It was late.  The fox jumps!\r\n\r\n- The dog\n1) One. \t\n***\n12:30\n\nA line\nthat goes on"
    result = translate(translators, text)
    sources = ["It was late.", "The fox jumps!", "The dog", "One.", "A line\nthat goes on"]
    assert [segment.source for segment in result.segments] == sources
    a, b, c, d, e = (segment.translation for segment in result.segments)
    assert result.translation == f"\n  {a}  {b}\r\n\r\n- {c}\n1) {d} \t\n***\n12:30\n\n{e}"


def test_a_long_text_grows_in_order(translators: Runner) -> None:
    text = "\n".join(f"{SENTENCES[index % 3]}" for index in range(150))
    steps = list(translators.stream(TASK, {"text": text, "model": "marian", "num_beams": 1}))
    answers = [step for step in steps if hasattr(step, "result")]
    assert [len(answer.result.segments) for answer in answers] == [64, 128, 150]
    once = [translate(translators, one, num_beams=1).translation for one in SENTENCES[:3]]
    assert answers[-1].result.translation.split("\n") == [once[index % 3] for index in range(150)]
    shares = [step.share for step in steps if step.share is not None]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_sentence_that_is_too_long_is_translated_in_parts_and_that_is_said(translators: Runner) -> None:
    text = "; ".join(["the quick brown fox jumps over the lazy dog"] * 8) + "."
    answer = translators.call(TASK, {"text": text, "model": "marian", "num_beams": 1})
    sources = [segment.source for segment in answer.result.segments]
    assert len(sources) > 1
    assert " ".join(sources) == text
    assert all(source.endswith((";", ".")) for source in sources)
    assert answer.notes[0] == "Translated in parts, as longer than 128 tokens: 1 sentence."


def test_unknown_characters_are_named(translators: Runner) -> None:
    answer = translators.call(TASK, {"text": "The fox 😀 jumps over 中 dogs.", "model": "marian"})
    (note,) = [note for note in answer.notes if "does not know" in note]
    assert note.endswith(": 😀 中.")


def test_what_does_not_end_is_cut_off_and_that_is_said(translators: Runner) -> None:
    answer = translators.call(TASK, {"text": SENTENCES[0], "model": "many-to-many", "num_beams": 1})
    assert "Cut off" in answer.notes[-2]
    assert "Low confidence" in answer.notes[-1]


def test_alternatives_with_the_probability_of_their_tokens(translators: Runner) -> None:
    result = translate(translators, " ".join(SENTENCES[:2]), alternatives=3)
    with translators.registry.lease("marian") as model:
        for options in ({}, STRICTER):
            found = plainly(model, SENTENCES[1], "de", num_beams=3, num_return_sequences=3, **options)
            rows = [
                row for row in found if not loops(str(model.tokenizer.decode(row, skip_special_tokens=True)))
            ]
            if rows:
                break
        end, start = model.network.config.eos_token_id, model.network.config.decoder_start_token_id
        alternatives = [one for one in result.alternatives if one.segment == 1]
        for alternative, row in zip(alternatives, rows, strict=True):
            tokens = row.tolist()
            tokens = tokens[: tokens.index(end) + 1]
            with torch.inference_mode():
                logits = model.network(
                    **model.tokenizer(SENTENCES[1], return_tensors="pt"),
                    decoder_input_ids=torch.tensor([[start, *tokens[:-1]]]),
                ).logits[0]
            chosen = logits.log_softmax(-1)[range(len(tokens)), tokens]
            assert alternative.score == pytest.approx(float(chosen.mean().exp()), abs=1e-5)
            assert (
                alternative.translation
                == str(model.tokenizer.decode(tokens, skip_special_tokens=True)).strip()
            )
    assert translate(translators, SENTENCES[0]).alternatives == []


def test_a_model_that_guesses_is_called_unsure(translators: Runner, runner: Runner) -> None:
    """Random weights of each sentence, the embedded one of what it was never trained on."""
    answer = translators.call(TASK, {"text": " ".join(SENTENCES), "model": "marian"})
    assert all(one.unsure and 0 <= one.score < 0.5 for one in answer.result.segments)
    guessed = sum(one.translated for one in answer.result.segments)
    assert guessed
    assert f"Low confidence in {guessed} of {len(SENTENCES)}" in answer.notes[-1]
    answer = runner.call(TASK, {"text": "I have lost my ticket. The pertussis antigen was lyophilised."})
    assert [one.unsure for one in answer.result.segments] == [False, True]
    assert "Low confidence in 1 of 2" in answer.notes[-1]


def test_what_only_goes_round_in_circles_is_not_shown(translators: Runner) -> None:
    """Of random weights most do; the sentence stands in its place, and both the segment and a note say so."""
    answer = translators.call(TASK, {"text": "\n".join([*SENTENCES, "A dog.", "Cats."]), "model": "t5"})
    segments = answer.result.segments
    assert all(one.translation and not loops(one.translation, one.source) for one in segments)
    failed = [one for one in segments if not one.translated]
    assert failed
    assert all(one.translation == one.source and one.unsure and one.score == 0 for one in failed)
    assert any(
        f"Could not be translated and stay unchanged: {len(failed)} of {len(segments)}" in note
        for note in answer.notes
    )


def test_capitals_are_read_as_small_letters(runner: Runner) -> None:
    text = "WHERE IS THE STATION? NATO"
    answer = runner.call(TASK, {"text": text, "source": "en"})
    quiet = runner.call(TASK, {"text": text.replace("WHERE IS THE STATION", "Where is the station")}).result
    assert [one.source for one in answer.result.segments] == ["WHERE IS THE STATION?", "NATO"]
    assert answer.result.segments[0].translation == quiet.segments[0].translation.upper()
    assert answer.result.segments[1].translation == quiet.segments[1].translation
    assert [note for note in answer.notes if "capitals" in note] == [
        "Read in lower case, which the model knows better: 1 sentence in capitals."
    ]


def test_names_and_numbers_that_a_translation_lacks_are_said(translators: Runner) -> None:
    text = "It was late. On Sunday Okafor paid 1250 euros to Veldkamp & Sons."
    answer = translators.call(TASK, {"text": text, "model": "marian"})
    late, paid = answer.result.segments
    assert late.missing == []
    assert paid.missing == ["Okafor", "1250", "Veldkamp"]
    assert paid.unsure
    (note,) = [note for note in answer.notes if "lacks" in note]
    assert note.startswith("The translation lacks names or numbers in 1 of 2 sentences")
    assert note.endswith(": Okafor, 1250, Veldkamp.")


@pytest.mark.parametrize(
    ("model", "changes", "field", "message"),
    [
        ("marian", {"target": "fr"}, "target", "marian translates only from English (en) to German (de)."),
        ("marian", {"target": "fr"}, "target", "Set target to de, or pick another model."),
        ("marian", {"source": "fr"}, "source", "marian reads English (en) alone. Set source to en, or pick"),
        ("t5", {"target": "it"}, "target", "t5 does not translate English (en) to Italian (it)."),
        ("t5", {"target": "it"}, "target", "Set target to one of de, fr, or pick another model."),
        ("t5", {"source": "it"}, "source", "t5 does not read Italian (it). Set source to "),
        ("bart", {}, "model", "bart does not declare the languages it translates between"),
    ],
)
def test_what_a_model_cannot_do(
    model: str, changes: dict[str, str], field: str, message: str, translators: Runner
) -> None:
    with pytest.raises(TourError) as caught:
        translate(translators, SENTENCES[0], model, **changes)
    assert caught.value.field == field
    assert message in caught.value.message
    assert caught.value.code is (Code.UNSUITABLE_MODEL if field == "model" else Code.INVALID_INPUT)


def test_languages_have_one_code_each() -> None:
    assert len({language.name for language in LANGUAGES.values()}) == len(LANGUAGES) == 100
    assert languages.code("deu") == languages.code("de_DE") == languages.code("deu_Latn") == "de"
    assert languages.code("EN") == "en"
    assert languages.code("tlh") == "tlh"
    assert set(transformers.models.m2m_100.tokenization_m2m_100.FAIRSEQ_LANGUAGE_CODES["m2m100"]) == set(
        LANGUAGES
    )
