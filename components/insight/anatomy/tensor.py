"""Any tensor of a network to take home: what a module gave for a text, or a parameter. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from components.insight.anatomy.forward import Call, forward
from components.insight.instrumented import instrumented_copy
from components.insight.weights import Floats
from components.models.errors import Code, TourError
from components.texts import in_folder

if TYPE_CHECKING:
    from components.insight.reading import Reading
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

LARGEST = 16_000_000  # numbers of one tensor


def tensor(model: LoadedModel, read: Reading, name: str) -> Floats:
    """By a name of `named_modules`, its output (the first tensor of it, of its last run), or of
    `named_parameters`. fp32. Raises `TourError`."""
    parameters = dict(model.network.named_parameters())
    if name in parameters:
        found = parameters[name].detach()
    else:
        known(model, name)
        found = ran(model, forward(instrumented_copy(model.network), read.inputs).calls, name).output
    if found.numel() > LARGEST:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["too_large"].format(name=name, numbers=found.numel(), limit=LARGEST),
            "part",
        )
    return found.float().cpu().numpy()


def known(model: LoadedModel, name: str) -> None:
    """Raises `TourError` for a name that is no module's."""
    modules = [found for found, _ in model.network.named_modules()]
    if name not in modules:
        near = get_close_matches(name, modules, n=3, cutoff=0.4) or modules[1:4]
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_module"].format(model=model.checkpoint.id, name=name[:100], near=", ".join(near)),
            "part",
        )


def ran(model: LoadedModel, calls: Sequence[Call], name: str) -> Call:
    """The last run of a module that gave a tensor. Raises `TourError` where there was none."""
    found = next((one for one in reversed(calls) if one.name == name and one.output.numel()), None)
    if found is None:
        raise TourError(
            Code.INVALID_INPUT,
            f"“{name}” of {model.checkpoint.id} does not run for a text. Choose a module around it.",
            "part",
        )
    return found
