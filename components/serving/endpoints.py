"""The same tasks as Gradio endpoints, for `gradio_client` and for Gradio's API page."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import gradio as gr
from gradio.events import api

from components.models.errors import TourError
from components.serving.errors import InternalError, reported
from components.serving.schema import Schema, request_schema
from components.tasks.fields import ByName
from components.tasks.runner import Runner
from components.tasks.task import Operation, Progress, Task

CONCURRENCY = 8  # calls under way at once; each waits for its turn on the device step by step


def register(blocks: gr.Blocks, tasks: Sequence[Operation], runner: Runner) -> None:
    """Adds `/<task>` for each task; call while `blocks` is built."""
    for task in tasks:
        added = api(
            _endpoint(task, runner),
            api_name=task.name,
            api_description=task.about,
            concurrency_id="tasks",
            concurrency_limit=CONCURRENCY,
        )
        _describe(task, [blocks.blocks[id] for id in (*added["inputs"], *added["outputs"])])


def _describe(task: Operation, components: Sequence[Any]) -> None:
    """Gradio names parameters "1st" and so on; here each has its field's title, description and bounds."""
    fields = request_schema(task, ())
    fields.pop("$defs", None)
    for name, component in zip([*_signature(task).parameters, "answer"], components, strict=True):
        if schema := fields["properties"].get(name):
            component.label = schema.get("title", name.replace("_", " ").capitalize())
            component._api_info = {**component._api_info, **_own(schema)}
        else:
            component.label = "Answer"


def _own(schema: Schema) -> Schema:
    """A field's schema without references, which nothing here could follow."""
    return {key: value for key, value in schema.items() if "$ref" not in json.dumps(value) and key != "$ref"}


def _endpoint(task: Operation, runner: Runner) -> Any:
    """A function whose signature is the task's: Gradio derives the endpoint's parameters from it.

    A generator, because Gradio stops those when a client cancels or leaves. `predict`
    returns what it yields last; `submit` also shows what comes before: how far a load
    is (`stage`, `share`) and the answer so far.
    """
    signature = _signature(task)

    def endpoint(*args: object, **kwargs: object) -> Iterator[dict[str, Any]]:
        payload = dict(signature.bind(*args, **kwargs).arguments)
        # Gradio can only close what has yielded once: a call cancelled before that would hold its model.
        yield asdict(Progress("Starting"))
        try:
            with reported():
                for step in runner.answer(task, payload):
                    yield asdict(step) if isinstance(step, Progress) else step.as_json()
        except TourError as error:
            raise gr.Error(error.message, title=error.code, print_exception=False) from error
        except InternalError as error:
            raise gr.Error(str(error), print_exception=False) from error

    endpoint.__name__ = task.name
    endpoint.__doc__ = task.about
    endpoint.__signature__ = signature  # type: ignore[attr-defined]
    endpoint.__annotations__ = {
        **{name: parameter.annotation for name, parameter in signature.parameters.items()},
        "return": signature.return_annotation,
    }
    return endpoint


def _signature(task: Operation) -> inspect.Signature:
    model = inspect.Parameter("model", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=str, default="")
    parameters = [
        *_parameters(task.inputs),
        *([model] if isinstance(task, Task) else []),
        *_parameters(task.options),
    ]
    later = {
        name
        for name, field in task.inputs.__pydantic_fields__.items()
        if any(isinstance(one, ByName) for one in field.metadata)
    }
    required_first = sorted(parameters, key=lambda one: (one.default is not one.empty, one.name in later))
    return inspect.Signature(required_first, return_annotation=dict[str, Any])


def _parameters(fields: Any) -> Iterator[inspect.Parameter]:
    for name, field in fields.__pydantic_fields__.items():
        yield inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            annotation=field.annotation,
            default=inspect.Parameter.empty
            if field.is_required()
            else field.get_default(call_default_factory=True),
        )
