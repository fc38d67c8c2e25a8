"""What the anatomy page draws: one pass of a text is kept here, and the page asks for one stage of it at a
time.

`/v1/anatomy` is for programs. Here large arrays travel as bytes, 8 bits a number; what is taken home is
exact.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, cast

from anyio import CapacityLimiter, to_thread
from pydantic import Field
from pydantic.dataclasses import dataclass
from starlette.requests import Request
from starlette.responses import Response

from components.insight import anatomy
from components.insight.inputs import Inputs
from components.models.errors import Code, TourError
from components.serving.errors import JsonResponse
from components.serving.inference import Inference
from components.tasks.answer_cache import AnswerCache, key
from components.tasks.fields import STRICT, OptionalText, validate
from components.tasks.task import Answer, NoOptions, Output, Progress, Task
from components.texts import in_folder

if TYPE_CHECKING:
    import numpy as np

    from components.insight.anatomy.record import Journey, Stage
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

ROOM = 400_000_000  # bytes: a pass of SmolLM2 with 512 tokens, or some eighty of MiniLM with 64
LONGEST_JSON = 1_000_000  # numbers; a larger tensor comes as .npy

# What the page asks a model for


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NoInputs:
    """No text is read."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NeuronOptions(anatomy.Options):
    """`neurons` are numbers with commas between them."""

    neurons: Annotated[OptionalText, Field(pattern=r"^\d{1,6}(,\d{1,6}){0,49}$", title="Neurons")] = "0"


def _travel(model: LoadedModel, inputs: Inputs, options: NoOptions) -> Iterator[Progress | Output[Journey]]:
    from components.insight import reading
    from components.insight.anatomy import journey

    found = yield from journey.travel(model, inputs.text, inputs.text_pair)
    tokens = len(found.pieces)
    yield Output(result=found, tokens_used=tokens, token_limit=reading.reads(model), notes=found.notes)


def _tensor(model: LoadedModel, inputs: Inputs, options: anatomy.Options) -> Iterator[Progress | Output[Any]]:
    from components.insight import reading
    from components.insight.anatomy import tensor

    read = yield from reading.read(model, inputs.text, inputs.text_pair)
    found = tensor.tensor(model, read, options.part)
    yield Output(result=found, tokens_used=len(read.pieces), token_limit=reading.reads(model))


def _neurons(model: LoadedModel, inputs: NoInputs, options: NeuronOptions) -> Iterator[Output[Any]]:
    from components.insight.anatomy import neurons

    yield Output(
        result=neurons.promoted(model, options.part, [*map(int, options.neurons.split(","))]),
        tokens_used=0,
        token_limit=0,
    )


def _source(model: LoadedModel, inputs: NoInputs, options: anatomy.Options) -> Iterator[Output[Any]]:
    from components.insight.anatomy import structure, tensor

    tensor.known(model, options.part)
    module: Any = type(model.network.get_submodule(options.part))
    found = structure.source(module)
    yield Output(result=found, tokens_used=0, token_limit=0)


def _task(inputs: type[Any], options: type[Any], run: Callable[..., Iterator[Any]]) -> Task[Any, Any, Any]:
    task: Task[Any, Any, Any] = anatomy.TASK
    return replace(task, inputs=inputs, options=options, run=run)


RECORD = _task(Inputs, NoOptions, _travel)  # the whole of it
TENSOR = _task(Inputs, anatomy.Options, _tensor)
NEURONS = _task(NoInputs, NeuronOptions, _neurons)
SOURCE = _task(NoInputs, anatomy.Options, _source)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Slice:
    """Which part of a stage is asked for."""

    token: Annotated[int, Field(ge=0)] = 0
    head: Annotated[int, Field(ge=0)] = 0
    column: Annotated[int, Field(ge=0)] = 0
    of: Annotated[str, Field(pattern="^(before|after|written)$")] = "after"


def endpoints(
    inference: Inference, payload_of: Callable[[Request], Awaitable[Mapping[str, Any]]]
) -> list[tuple[str, str, Callable[[Request], Awaitable[Response]]]]:
    """Path, method and handler of each address of the page; `payload_of` reads a request's JSON."""
    records: AnswerCache[Journey] = AnswerCache(ROOM, attrgetter("result.nbytes"))
    threads = CapacityLimiter(4)

    @cache
    def opening() -> tuple[str, Answer[Journey]]:
        from components.insight.anatomy import stored

        payload, answer = stored.load(stored.OPENING)
        return key(sorted(payload.items())), answer

    def kept(name: str) -> tuple[Answer[Journey] | None, bool]:
        """A pass, and whether it is the stored one."""
        if (found := records.get(name)) is not None:
            return found, False
        opens, answer = opening()
        return (answer, True) if name == opens else (None, False)

    async def view(request: Request) -> Response:
        """A refusal is an answer like others: the page shows it, and a browser's console need not."""
        from components.insight.anatomy import view as views

        payload = dict(await payload_of(request))
        again = payload.pop("again", False)  # asked to run the model, and not for what is stored
        name = key(sorted(payload.items()))
        found, is_stored = await to_thread.run_sync(kept, name, limiter=threads)
        try:
            if is_stored and again:
                found, is_stored = None, False
            if found is None:
                answer = await inference.answer(RECORD, payload, gone=request.is_disconnected)
                found = cast("Answer[Journey]", answer)
                records.put(name, found)
        except TourError as error:
            return JsonResponse(error.as_json())
        told = await to_thread.run_sync(views.described, found.result, limiter=threads)
        about = {name: value for name, value in vars(found).items() if name not in ("result", "share")}
        return JsonResponse({**about, **told, "key": name, "stored": is_stored})

    async def journey(request: Request) -> Journey:
        found, _ = await to_thread.run_sync(kept, request.path_params["key"], limiter=threads)
        if found is None:
            raise TourError(Code.EXPIRED, TEXTS["expired"])
        return found.result

    def asked(request: Request) -> Slice:
        query = {name: _whole(value) for name, value in request.query_params.items()}
        return validate(Slice, query)

    def part(find: Callable[[Journey, Stage, Slice], Response]) -> Any:
        async def answer(request: Request) -> Response:
            found = await journey(request)
            stages, place = found.stages, _whole(request.path_params["stage"])
            wanted = asked(request)
            if not isinstance(place, int) or place >= len(stages):
                raise _out_of("stage", len(stages))
            stage = stages[place]
            for name, most in (
                ("token", len(stage.after)),
                ("head", stage.heads.count if stage.heads else 1),
                ("column", stage.heads.keys.shape[1] if stage.heads else 1),
            ):
                if getattr(wanted, name) >= most:
                    raise _out_of(name, most)
            return await to_thread.run_sync(find, found, stage, wanted, limiter=threads)

        return answer

    async def ending(request: Request) -> Response:
        from components.insight.anatomy import view as views

        found = await journey(request)
        return JsonResponse(views.ending(found, asked(request).token))

    async def tensor(request: Request) -> Response:
        payload = dict(await payload_of(request))
        as_json = payload.pop("format", "npy") == "json"
        found = cast("Answer[Any]", await inference.answer(TENSOR, payload, gone=request.is_disconnected))
        return await to_thread.run_sync(_file, payload, found.result, as_json, limiter=threads)

    def of_model(task: Task[Any, Any, Any]) -> Any:
        async def answer(request: Request) -> Response:
            try:
                asked = await payload_of(request)
                found = await inference.answer(task, asked, gone=request.is_disconnected)
            except TourError as error:
                return JsonResponse(error.as_json())
            result = cast("Answer[Any]", found).result
            return JsonResponse({"found": None if result is None else asdict(result)})

        return answer

    stage = "/data/anatomy/{key}/stages/{stage}"
    return [
        ("/data/anatomy/view", "POST", view),
        ("/data/anatomy/tensor", "POST", tensor),
        ("/data/anatomy/neurons", "POST", of_model(NEURONS)),
        ("/data/anatomy/source", "POST", of_model(SOURCE)),
        ("/data/anatomy/{key}/ending", "GET", ending),
        (stage, "GET", part(_numbers)),
        (f"{stage}/strip", "GET", part(_strip)),
        (f"{stage}/weights", "GET", part(_weights)),
    ]


def _whole(value: str) -> object:
    return int(value) if value.isdecimal() and len(value) < 6 else value


def _out_of(name: str, most: int) -> TourError:
    return TourError(
        Code.INVALID_INPUT, f"There are {most} of these, counted from 0. Choose one of them.", name
    )


def _numbers(journey: Journey, stage: Stage, asked: Slice) -> Response:
    from components.insight.anatomy import view

    return JsonResponse(view.stage(stage, asked.token, asked.head, asked.column))


def _strip(journey: Journey, stage: Stage, asked: Slice) -> Response:
    from components.insight.anatomy import view

    values, scale = view.strip(stage, asked.of)
    return _bytes(values, scale)


def _weights(journey: Journey, stage: Stage, asked: Slice) -> Response:
    from components.insight.anatomy import view

    if stage.heads is None:
        raise TourError(Code.INVALID_INPUT, "This part has no attention. Choose one that has.", "stage")
    return _bytes(view.weights(stage.heads, asked.head), 1.0)


def _bytes(values: np.ndarray[Any, Any], scale: float) -> Response:
    return Response(
        values.tobytes(),
        media_type="application/octet-stream",
        headers={"X-Shape": ",".join(map(str, values.shape)), "X-Scale": f"{scale:.6g}"},
    )


def _file(payload: Mapping[str, Any], values: np.ndarray[Any, Any], as_json: bool) -> Response:
    """A tensor with its module's name, as numpy saves it or as JSON."""
    import numpy as np

    name = str(payload["part"]) or "network"
    if as_json and values.size > LONGEST_JSON:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["too_large"].format(name=name, numbers=values.size),
            "part",
        )
    if as_json:
        return JsonResponse({"name": name, "shape": list(values.shape), "values": values.tolist()})
    file = io.BytesIO()
    np.save(file, values)
    return Response(file.getvalue(), media_type="application/octet-stream")
