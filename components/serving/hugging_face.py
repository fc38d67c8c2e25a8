"""The Hub's inference API as `huggingface_hub.InferenceClient` calls it: `POST /hf/<task>`.

A body has `inputs` and `parameters` (or, for some tasks, parameters beside the inputs), an answer has the
form that the Hub's task specifications give
(https://github.com/huggingface/huggingface.js/tree/main/packages/tasks/src/tasks). Lists of inputs give lists
of answers. `?model=` picks a checkpoint. Parameters that would change an answer and are unknown are refused.
"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from components.models.errors import Code, TourError
from components.serving.errors import JsonResponse
from components.serving.inference import Inference
from components.tasks.catalog import TASKS
from components.tasks.fields import shorten
from components.texts import in_folder

TEXTS = in_folder(__file__)

Handler = Callable[[Request], Awaitable[Response]]
PayloadOf = Callable[[Request], Awaitable[dict[str, object]]]

# Change nothing that is answered here: texts are never cut, and what clients always send.
WITHOUT_EFFECT = {"truncation", "padding", "sequential", "clean_up_tokenization_spaces", "options", "stream"}
ROOT = {"inputs", "parameters"}


@dataclass(frozen=True, kw_only=True)
class Form:
    """How the Hub writes one of the tasks: `parameters` by their names here; `fixed` are options that the
    Hub's answers stand for; `output` makes an answer from a result and the parameters. `given` is the JSON
    Schema of one input, `example` a request."""

    task: str
    inputs: Callable[[Any], dict[str, object]]
    output: Callable[[Any, Mapping[str, object]], object]
    parameters: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, object] = field(default_factory=dict)
    lists: bool = True  # whether a list holds several inputs, and is none itself
    given: Mapping[str, Any] = field(default_factory=lambda: {"type": "string", "minLength": 1})
    example: Mapping[str, Any]


def _table(inputs: Any) -> dict[str, object]:
    """A table of columns as the header and rows that are taken here."""
    given = inputs.get("table") if isinstance(inputs, dict) else None
    columns = given if isinstance(given, dict) else {}
    lists = [column if isinstance(column, list) else [column] for column in columns.values()]
    if len({len(column) for column in lists}) > 1:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["uneven_columns"],
            "table",
        )
    rows = [list(row) for row in zip(*lists, strict=True)]
    query = inputs.get("query") if isinstance(inputs, dict) else None
    return {"table": {"columns": [*columns], "rows": rows}, "question": query}


def _table_answer(result: Any, _: Mapping[str, object]) -> object:
    best = result.candidates[0]
    return {
        "answer": result.answer,
        "coordinates": result.cells,
        "cells": [str(value) for value in best.values],
        "aggregator": None,
    }


def _answers(result: Any, parameters: Mapping[str, object]) -> object:
    found = [
        {"answer": one.text, "score": one.score, "start": one.start, "end": one.end} for one in result.answers
    ]
    if not found:
        found = [{"answer": "", "score": result.no_answer, "start": 0, "end": 0}]
    return found if isinstance(top := parameters.get("top_k"), int) and top > 1 else found[0]


def _entities(result: Any, parameters: Mapping[str, object]) -> object:
    name = "entity" if parameters.get("aggregation_strategy") == "none" else "entity_group"
    return [
        {name: one.label, "score": one.score, "word": one.text, "start": one.start, "end": one.end}
        for one in result.entities
    ]


def _scored(result: Any, _: Mapping[str, object]) -> object:
    return [{"label": one.label, "score": one.score} for one in result.labels]


def _vectors(result: Any, _: Mapping[str, object]) -> object:
    return [one.vector for one in result.embeddings]


def _named(**names: str) -> Callable[[Any], dict[str, object]]:
    """Inputs that are an object, by their names here; what is no object is left for the task to refuse."""

    def inputs(given: Any) -> dict[str, object]:
        own = given if isinstance(given, dict) else {}
        return {ours: own.get(theirs) for theirs, ours in names.items()}

    return inputs


def _object(*names: str) -> dict[str, Any]:
    """The JSON Schema of an object of texts; those with a question mark may be left out."""
    return {
        "type": "object",
        "properties": {name.rstrip("?"): {"type": "string"} for name in names},
        "required": [name for name in names if not name.endswith("?")],
    }


def _as(name: str) -> Callable[[Any], dict[str, object]]:
    return lambda given: {name: given}


FORMS: Mapping[str, Form] = {
    "text-classification": Form(
        task="text_classification",
        inputs=lambda given: (
            {"text": given.get("text"), "text_pair": given.get("text_pair")}
            if isinstance(given, dict)
            else {"text": given}
        ),
        output=_scored,
        parameters={"top_k": "top_k", "function_to_apply": "function_to_apply"},
        given={"anyOf": [{"type": "string", "minLength": 1}, _object("text", "text_pair?")]},
        example={"inputs": "What a lovely day.", "parameters": {"top_k": 2}},
    ),
    "token-classification": Form(
        task="named_entities",
        inputs=_as("text"),
        output=_entities,
        parameters={"aggregation_strategy": "aggregation_strategy", "stride": "stride"},
        example={
            "inputs": "Marie lives in Paris and works for Acme.",
            "parameters": {"aggregation_strategy": "simple"},
        },
    ),
    "question-answering": Form(
        task="question_answering",
        inputs=_named(question="question", context="context"),
        output=_answers,
        parameters={
            "top_k": "top_k",
            "max_answer_len": "max_answer_length",
            "doc_stride": "stride",
            "handle_impossible_answer": "allow_no_answer",
        },
        fixed={"allow_no_answer": False},
        given=_object("question", "context"),
        example={"inputs": {"question": "Where does Marie live?", "context": "Marie lives in Paris."}},
    ),
    "fill-mask": Form(
        task="fill_mask",
        inputs=_as("text"),
        output=lambda result, _: [
            {
                "score": one.score,
                "sequence": one.sequence,
                "token": one.token_ids[0][0],
                "token_str": one.token,
            }
            for one in result.candidates
        ],
        parameters={"top_k": "top_k", "targets": "targets"},
        example={"inputs": "The capital of France is [MASK].", "parameters": {"top_k": 3}},
    ),
    "zero-shot-classification": Form(
        task="zero_shot_classification",
        inputs=_as("text"),
        output=_scored,
        parameters={
            "candidate_labels": "labels",
            "multi_label": "multi_label",
            "hypothesis_template": "hypothesis_template",
        },
        example={
            "inputs": "The team won the final.",
            "parameters": {"candidate_labels": ["sports", "politics"]},
        },
    ),
    "summarization": Form(
        task="summarization",
        inputs=_as("text"),
        output=lambda result, _: [{"summary_text": result.summary}],
        example={"inputs": TEXTS["example"]},
    ),
    "translation": Form(
        task="translation",
        inputs=_as("text"),
        output=lambda result, _: [{"translation_text": result.translation}],
        parameters={"tgt_lang": "target", "src_lang": "source"},
        example={"inputs": "The house is big.", "parameters": {"src_lang": "en", "tgt_lang": "de"}},
    ),
    "text-generation": Form(
        task="text_generation",
        inputs=_as("prompt"),
        output=lambda result, _: [{"generated_text": result.text}],
        parameters={
            name: name
            for name in (
                *("max_new_tokens", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty"),
                *("seed", "stop"),
            )
        },
        fixed={"mode": "plain"},
        example={"inputs": "One, two, three,", "parameters": {"max_new_tokens": 8, "temperature": 0}},
    ),
    "feature-extraction": Form(
        task="feature_extraction",
        inputs=_as("texts"),
        output=_vectors,
        parameters={"normalize": "normalize"},
        fixed={"normalize": False},
        lists=False,
        given={
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        },
        example={"inputs": ["The ferry leaves at nine.", "Boats depart in the morning."]},
    ),
    "sentence-similarity": Form(
        task="sentence_similarity",
        inputs=_named(source_sentence="source", sentences="sentences"),
        output=lambda result, _: result.scores,
        given={
            "type": "object",
            "properties": {
                "source_sentence": {"type": "string", "minLength": 1},
                "sentences": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            },
            "required": ["source_sentence", "sentences"],
        },
        example={"inputs": {"source_sentence": "A cat.", "sentences": ["A kitten.", "A bus."]}},
    ),
    "table-question-answering": Form(
        task="table_question_answering",
        inputs=_table,
        output=_table_answer,
        given={
            "type": "object",
            "properties": {
                "query": {"type": "string", "minLength": 1},
                "table": {
                    "type": "object",
                    "description": "The cells of each column, by its name.",
                    "additionalProperties": {
                        "type": "array",
                        "items": {"type": ["string", "number", "null"]},
                    },
                },
            },
            "required": ["query", "table"],
        },
        example={
            "inputs": {
                "query": "How many people live in Rome?",
                "table": {"City": ["Oslo", "Rome"], "People": ["700000", "2800000"]},
            }
        },
    ),
}


def endpoints(inference: Inference, payload_of: PayloadOf) -> list[tuple[str, str, Handler]]:
    """Path, method and handler of each address; `payload_of` reads a request's JSON."""

    def handler(form: Form) -> Handler:
        async def answer(request: Request) -> Response:
            body = await payload_of(request)
            given = body.get("parameters") or {}
            if not isinstance(given, Mapping):
                message = 'parameters is not an object. Send one, as in {"top_k": 3}.'
                raise TourError(Code.INVALID_INPUT, message, "parameters")
            beside = {name: value for name, value in body.items() if name not in ROOT}
            parameters = {
                name: value for name, value in {**beside, **given}.items() if value not in (None, {})
            }
            options = {**form.fixed, **_options(form, parameters), "model": request.query_params.get("model")}
            inputs = body.get("inputs")

            async def one(own: object) -> object:
                payload = {**options, **form.inputs(own)}
                found = await inference.answer(TASKS[form.task], payload, gone=request.is_disconnected)
                return form.output(found.result, parameters)

            if form.lists and isinstance(inputs, list):
                return JsonResponse(await gather(*map(one, inputs)))
            return JsonResponse(await one(inputs))

        return answer

    return [(f"/hf/{name}", "POST", handler(form)) for name, form in FORMS.items()]


def _options(form: Form, parameters: Mapping[str, object]) -> dict[str, object]:
    found = {}
    for name, value in parameters.items():
        if name in form.parameters:
            found[form.parameters[name]] = value
        elif name not in WITHOUT_EFFECT and value is not False:
            known = ", ".join(form.parameters) or "none"
            raise TourError(
                Code.INVALID_INPUT,
                f"{shorten(name)} is not a parameter here; leave it out. There are: {known}.",
                str(name)[:80],
            )
    return found
