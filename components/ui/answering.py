"""What happens on a task page between a click and what is shown: values in, values out, no components."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from components import texts
from components.figures import counterfactuals, status
from components.figures.chart import Chart
from components.figures.comparison import Column, side_by_side
from components.figures.markup import Markup, byte_size
from components.tasks import batch, identities
from components.tasks.fields import OptionField, input_fields, option_fields
from components.tasks.task import Answer, Progress
from components.ui import api_samples, asking, inspection, links, options
from components.ui.driver import Problem, driven
from components.ui.page import Json, TaskPage, Tour

TEXTS = texts.beside(__file__)


@dataclass(frozen=True)
class PageUpdate:
    """Everything on a page that shows an answer. None leaves a place as it is."""

    result: str | None = None
    status: str | None = None
    code: str | None = None
    answer_json: str | None = None
    api: str | None = None

    @staticmethod
    def nothing(status: str = "") -> PageUpdate:
        return PageUpdate(result="", status=status, code="", answer_json="", api="")

    @property
    def places(self) -> tuple[str | None, ...]:
        return self.result, self.status, self.code, self.answer_json, self.api


@dataclass(frozen=True)
class PageController:
    """One task page's requests and answers: the translation between what is typed and the API's JSON."""

    page: TaskPage
    tour: Tour

    @property
    def options(self) -> Sequence[OptionField]:
        return option_fields(self.page.task.options)

    @property
    def names(self) -> list[str]:
        """Inputs, model and options in the one order that events and links use."""
        return [*self.page.inputs, "model", *(field.name for field in self.options)]

    @property
    def default_model(self) -> str:
        return self.tour.registry.catalog.default(self.page.task.name, self.tour.profile).id

    def payload(self, form_values: Sequence[Any]) -> dict[str, Any]:
        """What was typed and set, as the API's request."""
        return self.page.joined(self._parsed(form_values))

    def _parsed(self, form_values: Sequence[Any]) -> dict[str, Any]:
        """What was typed and set, by name, as each box has it."""
        values = dict(zip(self.names, form_values, strict=True))
        for name, kind in self.page.inputs.items():
            values[name] = kind.parse(values[name] or "")
        return values

    def typed(self, payload: Json) -> list[Any]:
        """The API's request as the components show it; what it leaves out gets its default."""
        payload = self.page.parted(payload)
        return [
            *(kind.show(payload[name]) if name in payload else "" for name, kind in self.page.inputs.items()),
            payload["model"],
            *(payload.get(field.name, field.default) for field in self.options),
        ]

    def run(self, form_values: Sequence[Any]) -> Iterator[PageUpdate]:
        """Answers as far as the work has come, the last one complete; or one error in their place."""
        task = self.page.task
        payload = self.payload(form_values)
        answer: Answer[Any] | None = None
        started = perf_counter()
        for step in driven(task.name, lambda: self.tour.runner.stream(task, payload)):
            match step:
                case Problem():
                    yield replace(
                        PageUpdate.nothing(), result=str(asking.belonging(step.figure, form_values))
                    )
                    return
                case Progress():
                    yield PageUpdate(status=str(status.progress(step.stage, step.share)))
                case Answer():
                    answer = step
                    yield self._growing(payload, step, form_values)
        if answer is not None:
            waited = perf_counter() - started
            yield self.complete(
                payload, answer.as_json(), stored=False, form_values=form_values, waited=waited
            )

    def pick(self, answer_json: str, picked: Any, form_values: Sequence[Any]) -> list[Any]:
        """What was typed, changed by what was picked in the answer; as it was where that does not fit."""
        try:
            changes = self.page.pick(json.loads(answer_json), picked) if self.page.pick else {}
        except (ValueError, LookupError, TypeError):  # comes from the browser: anything may be in it
            return list(form_values)
        return [changes.get(name, value) for name, value in zip(self.names, form_values, strict=True)]

    def complete(
        self,
        payload: Json,
        answer: Json,
        *,
        stored: bool,
        form_values: Sequence[Any] | None = None,
        waited: float | None = None,
    ) -> PageUpdate:
        """A whole answer, fresh or stored, in all its places; `typed` as the boxes have the request."""
        task = self.page.task
        checkpoint = self.tour.registry.catalog[answer["model"]]
        whole = {**payload, "model": checkpoint.id}
        request = self.tour.runner.parse(task, whole)
        seen = self.page.inspection(payload, answer) if self.page.inspection else None
        ways = inspection.links_to(task.name, checkpoint, seen) if seen else Markup()
        line = status.run_line(answer, title=checkpoint.title, stored=stored, waited=waited)
        return PageUpdate(
            result=str(
                asking.belonging(
                    self.page.draw(payload, answer),
                    self.typed(whole) if form_values is None else form_values,
                    said=self.spoken(answer),
                )
            ),
            status=str(line + ways),
            code=task.snippet(checkpoint, request.inputs, request.options),
            answer_json=json.dumps(answer, indent=2, ensure_ascii=False),
            api=self.calls(whole),
        )

    def calls(self, payload: Json) -> str:
        """How to send a request to each interface."""
        return api_samples.calls(self.page.task, payload, self.tour.origin)

    def compare(
        self, form_values: Sequence[Any], changes: Mapping[str, Json]
    ) -> Iterator[tuple[Markup, Markup]]:
        """Answers side by side as they come, and a line of progress.

        One for each title in `changes`, which says what it changes in the request; what cannot be answered
        says why in its column.
        """
        columns: list[Column] = []

        def shown(columns: Sequence[Column]) -> Markup:
            return asking.belonging(side_by_side(columns), form_values)

        waiting = [Column(title=title, figure=Markup(), facts=Markup()) for title in changes]
        payload = self.payload(form_values)
        for index, (title, changed) in enumerate(changes.items()):
            asked = {**payload, **changed}
            column = waiting[index]
            for step in driven(self.page.task.name, partial(self.tour.runner.stream, self.page.task, asked)):
                if isinstance(step, Problem):
                    column = Column(title=title, figure=step.figure, facts=Markup())
                    break
                if isinstance(step, Progress):
                    stage, share = step.stage, step.share or 0.0
                else:
                    stage, share = "Working", step.share
                    if share >= 1:
                        column = self._column(title, asked, step.as_json())
                done = status.progress(f"{title}: {stage}", (index + share) / len(changes))
                yield shown([*columns, *waiting[index:]]), done
            columns.append(column)
        yield shown(columns), Markup()

    def swapped(self, form_values: Sequence[Any]) -> Iterator[tuple[Markup, Markup]]:
        """How the answer moves when the first input is about somebody else, and a line of progress."""
        payload = self.payload(form_values)
        name = next(iter(self.page.inputs))
        found = identities.swaps(str(payload[name]))
        if not found:
            words = TEXTS["nobody"].format(examples=identities.examples())
            yield status.hint(words), Markup()
            return
        scores: list[Mapping[str, float]] = []
        asked = [str(payload[name]), *(swap.text for swap in found)]

        def shown() -> Markup:
            return asking.belonging(counterfactuals.moves(found, scores), form_values)

        def answers() -> Iterator[Answer[Any]]:
            for text in asked:
                yield self.tour.runner.call(self.page.task, {**payload, name: text})

        yield shown(), status.progress("Asking about others", 0.0)
        for step in driven(self.page.task.name, answers):
            if isinstance(step, Problem):
                yield step.figure, Markup()
                return
            scores.append(self.page.scored(step.as_json()) if self.page.scored else {})
            yield shown(), status.progress("Asking about others", len(scores) / len(asked))
        yield shown(), Markup()

    def trust(self, model: str | None) -> Chart | Markup | None:
        """How far the scores of a checkpoint can be trusted; nothing on pages that do not say so."""
        if self.page.trust is None or not model or model not in self.tour.registry.catalog:
            return None
        return self.page.trust(self.tour.registry.catalog[model])

    def _column(self, title: str, payload: Json, answer: Json) -> Column:
        found = self.tour.registry.status(answer["model"])
        body = found.checkpoint.body
        memory = f"{byte_size(found.nbytes)} in memory{f' on top of {body.title}' if body else ''}"
        return Column(
            title=title,
            figure=self.page.draw(payload, answer),
            facts=status.took(answer) + status.fact(memory) + status.notes(answer["notes"]),
            summary=self.page.summary(answer),
            among=[one["label"] for one in answer.get("labels", ())],
        )

    def batch(
        self, form_values: Sequence[Any], from_columns: Mapping[str, str], source: Path, target: Path
    ) -> Iterator[batch.Done]:
        """Answers a file's rows; `from_columns` says which input is in which column, the rest is typed."""
        given = {name: (column, self.page.inputs[name].parse) for name, column in from_columns.items()}
        return batch.run(
            self.tour.runner,
            self.page.task,
            self._parsed(form_values),
            given,
            source,
            target,
            self.page.summary,
            self.page.joined,
        )

    def restore(self, query: Mapping[str, str]) -> tuple[list[Any], PageUpdate] | None:
        """Typed values and a note from a link's query; None for a query that is not about this page."""
        query = links.request_of(query)
        if not query.keys() & set(self.names):
            return None
        ignored = []
        values: dict[str, Any] = {
            field.name: query.get(field.name, field.default or "")
            for field in input_fields(self.page.task.inputs)
        }
        values["model"] = query.get("model", self.default_model)
        if not self.tour.registry.may_be_named(values["model"]):
            values["model"] = self.default_model
            ignored.append(TEXTS["link.model"])
        for field in self.options:
            values[field.name] = field.default
            if field.name in query:
                try:
                    values[field.name] = options.from_link(field, query[field.name])
                except ValueError:
                    ignored.append(TEXTS["link.value"].format(field=field.title))
        note = status.notes(ignored) or status.hint(links.filled_in(query))
        return list(values.values()), PageUpdate.nothing(str(note))

    def spoken(self, answer: Json) -> str:
        """An answer in a sentence."""
        scores = self.page.scored(answer) if self.page.scored else {}
        said = self.page.summary(answer)
        score = f"{scores[said[0]] * 100:.1f} per cent" if len(said) == 1 and said[0] in scores else ""
        return asking.sentence(said, score)

    def _growing(self, payload: Json, answer: Answer[Any], form_values: Sequence[Any]) -> PageUpdate:
        """An answer under way: no code or JSON yet, and a bar for how far it is."""
        title = self.tour.registry.catalog[answer.model].title
        as_json = answer.as_json()
        line = status.run_line(as_json, title=title)
        bar = status.progress("Working", answer.share) if answer.share < 1 else Markup()
        figure = asking.belonging(self.page.draw(payload, as_json), form_values, partial=True)
        return PageUpdate(result=str(figure), status=str(bar + line))
