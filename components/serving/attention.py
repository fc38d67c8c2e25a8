"""What the attention page draws: one look at a text is kept here, and the page asks for one layer at a time.

`/v1/attention` is for programs; here weights travel as bytes, 255 for 1.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from itertools import product
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, cast

from anyio import CapacityLimiter, to_thread
from pydantic import Field
from pydantic.dataclasses import dataclass
from starlette.requests import Request
from starlette.responses import Response

from components.insight import attention, inputs, stored
from components.insight.weights import Attentions
from components.models.errors import Code, TourError
from components.serving.errors import JsonResponse
from components.serving.inference import Inference
from components.tasks.answer_cache import AnswerCache, key
from components.tasks.explained import LONGEST
from components.tasks.fields import STRICT, OptionalText, validate
from components.tasks.snippet import snippet
from components.tasks.task import Answer, NoOptions, Output, Progress, Task
from components.texts import in_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from components.insight.weights import Piece, Stack
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

THUMBNAIL = 48  # cells on a side at most
SHAPES = tuple(product((0, 1), repeat=2))  # special, words: as in the query of a slice
ROOM = 600_000_000  # bytes: three looks at 512 tokens of SmolLM2, or fifteen of MiniLM


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs(inputs.Inputs):
    """As the task's; `place` counts the token that `token` is put in the place of, in a second run."""

    place: Annotated[int, Field(ge=-1, le=LONGEST)] = -1
    token: Annotated[OptionalText, Field(max_length=100)] = ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Slice:
    """Which part of a look is asked for."""

    layer: Annotated[int, Field(ge=0)] = 0
    head: Annotated[int, Field(ge=0)] = 0
    row: Annotated[int, Field(ge=0)] = 0
    column: Annotated[int, Field(ge=0)] = 0
    special: Annotated[int, Field(ge=0, le=1)] = 1
    words: Annotated[int, Field(ge=0, le=1)] = 0


def _record(
    model: LoadedModel, inputs: Inputs, options: NoOptions
) -> Iterator[Progress | Output[Attentions]]:
    from components.insight import attention_extraction, reading

    edit = None if inputs.place < 0 else reading.Edit(place=inputs.place, text=inputs.token)
    found = yield from attention_extraction.attend(model, inputs.text, inputs.text_pair, edit)
    yield Output(
        result=found,
        tokens_used=found.tokens_used,
        token_limit=reading.reads(model),
        notes=found.notes,
    )


RECORD = Task(  # the whole of it
    name=attention.TASK.name,
    title=attention.TASK.title,
    about=attention.TASK.about,
    inputs=Inputs,
    options=NoOptions,
    result=Attentions,
    heads=attention.TASK.heads,
    run=_record,
    snippet=snippet(attention.FOLDER / "snippets" / "attention"),
    stored=attention.TASK.stored,
    example=attention.TASK.example,
)


def endpoints(
    inference: Inference, payload_of: Callable[[Request], Awaitable[Mapping[str, Any]]]
) -> list[tuple[str, str, Callable[[Request], Awaitable[Response]]]]:
    """Path, method and handler of each address of the page; `payload_of` reads a request's JSON."""
    records: AnswerCache[Attentions] = AnswerCache(ROOM, attrgetter("result.nbytes"))
    threads = CapacityLimiter(4)

    @cache
    def opening() -> tuple[str, Answer[Attentions]]:
        payload, answer = stored.load(stored.OPENING)
        return key(sorted(payload.items())), answer

    def kept(name: str) -> tuple[Answer[Attentions] | None, bool]:
        """A look, and whether it is the stored one."""
        if (look := records.get(name)) is not None:
            return look, False
        opens, answer = opening()
        return (answer, True) if name == opens else (None, False)

    async def view(request: Request) -> Response:
        """A refusal is an answer like others: the page shows it, and a browser's console need not."""
        payload = dict(await payload_of(request))
        again = payload.pop("again", False)  # asked to look anew, and not at what is stored
        name = key(sorted(payload.items()))
        look, is_stored = await to_thread.run_sync(kept, name, limiter=threads)
        try:
            if is_stored and again:
                look, is_stored = None, False
            if look is None:
                found = await inference.answer(RECORD, payload, gone=request.is_disconnected)
                look = cast(Answer[Attentions], found)
                records.put(name, look)
            described = await to_thread.run_sync(_described, look, limiter=threads)
        except TourError as error:
            return JsonResponse(error.as_json())
        return JsonResponse({**described, "key": name, "stored": is_stored})

    def part(find: Callable[[Stack, Slice], Response]) -> Any:
        async def answer(request: Request) -> Response:
            look, _ = await to_thread.run_sync(kept, request.path_params["key"], limiter=threads)
            if look is None:
                raise TourError(Code.EXPIRED, TEXTS["expired"])
            asked = validate(Slice, {name: _whole(value) for name, value in request.query_params.items()})
            stack = look.result.stack(request.path_params["kind"])
            for name, most in (
                ("layer", stack.layers),
                ("head", stack.heads),
                ("row", len(stack.rows)),
                ("column", len(stack.columns)),
            ):
                if getattr(asked, name) >= most:
                    raise TourError(
                        Code.INVALID_INPUT,
                        f"There are {most} of these, counted from 0. Choose one of them.",
                        name,
                    )
            return await to_thread.run_sync(find, stack, asked, limiter=threads)

        return answer

    found: Mapping[str, Callable[[Stack, Slice], Response]] = {
        "layer": _layer,
        "rollout": _rollout,
        "thumbnails": _thumbnails,
        "vectors": _vectors,
        "weights.npy": _npy,
    }
    return [
        ("/data/attention/view", "POST", view),
        *((f"/data/attention/{{key}}/{{kind}}/{name}", "GET", part(find)) for name, find in found.items()),
    ]


def _whole(value: str) -> object:
    return int(value) if value.isdecimal() and len(value) < 6 else value


def _described(look: Answer[Attentions]) -> dict[str, Any]:
    """A look without its weights."""
    about = {name: value for name, value in vars(look).items() if name not in ("result", "share")}
    return {**about, "written": look.result.written, "stacks": [*map(_about, look.result.stacks)]}


def _about(stack: Stack) -> dict[str, Any]:
    from components.insight import weights

    return {
        "kind": stack.kind,
        "layers": stack.layers,
        "heads": stack.heads,
        "causal": stack.causal,
        "vectors": stack.vectors is not None,
        "rows": [*map(_token, stack.rows)],
        "columns": [*map(_token, stack.columns)],
        "groups": {
            f"special={special}&words={words}": _groups(stack, special, words) for special, words in SHAPES
        },
        "entropies": weights.entropies(stack.weights).round(3).tolist(),
    }


def _token(piece: Piece) -> dict[str, Any]:
    return {"text": piece.text, "special": piece.special, "sequence": piece.sequence}


def _groups(stack: Stack, special: int, words: int) -> dict[str, list[list[int]]]:
    """The places of the tokens that each row and each column of a slice stands for."""
    from components.insight import weights

    shape = _shape(Slice(special=special, words=words))
    return {"rows": weights.groups(stack.rows, shape), "columns": weights.groups(stack.columns, shape)}


def _shown(stack: Stack, asked: Slice, layer: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Weights [heads, rows, columns] of one layer."""
    from components.insight import weights

    exact = weights.exact(stack.weights[layer])
    return weights.shaped(exact, stack.rows, stack.columns, _shape(asked))


def _shape(asked: Slice) -> Any:
    from components.insight.weights import Shape

    return Shape(special=bool(asked.special), words=bool(asked.words))


def _layer(stack: Stack, asked: Slice) -> Response:
    from components.insight import weights

    return _bytes(weights.eight_bit(_shown(stack, asked, asked.layer)))


def _rollout(stack: Stack, asked: Slice) -> Response:
    """[1, rows, columns], up to and with a layer."""
    from components.insight import weights

    if stack.kind == "cross":
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_rollout"],
        )
    through = weights.rollout(stack.weights, asked.layer + 1)
    shown = weights.shaped(through, stack.rows, stack.columns, _shape(asked))
    return _bytes(weights.eight_bit(shown[None]))


def _thumbnails(stack: Stack, asked: Slice) -> Response:
    """[layers, heads, rows, columns], the greatest weight of each patch."""
    import numpy as np

    from components.insight import weights

    return _bytes(
        np.stack(
            [
                weights.pooled(weights.eight_bit(_shown(stack, asked, layer)), THUMBNAIL)
                for layer in range(stack.layers)
            ]
        )
    )


def _vectors(stack: Stack, asked: Slice) -> Response:
    """The query of one token and the key of another, whose product the weight comes from."""
    import numpy as np

    if stack.vectors is None:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_queries"],
        )
    shared = stack.heads // stack.vectors.keys.shape[1]
    query = stack.vectors.queries[asked.layer, asked.head, asked.row].astype(np.float32)
    key = stack.vectors.keys[asked.layer, asked.head // shared, asked.column].astype(np.float32)
    return JsonResponse(
        {
            "query": query.round(4).tolist(),
            "key": key.round(4).tolist(),
            "scale": stack.vectors.scale,
            "score": round(float(query @ key) * stack.vectors.scale, 4),
        }
    )


def _npy(stack: Stack, asked: Slice) -> Response:
    """One layer [heads, rows, columns] as numpy saves it."""
    import numpy as np

    file = io.BytesIO()
    np.save(file, _shown(stack, asked, asked.layer))
    name = f"attention-{stack.kind}-layer-{asked.layer}.npy"
    return Response(
        file.getvalue(),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _bytes(values: np.ndarray[Any, np.dtype[np.uint8]]) -> Response:
    return Response(
        values.tobytes(),
        media_type="application/octet-stream",
        headers={"X-Shape": ",".join(map(str, values.shape))},
    )
