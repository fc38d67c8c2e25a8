"""Muon for the matrices inside a network, AdamW for everything else, as one optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import AdamW, Muon, Optimizer


class MuonAdamW(Optimizer):
    """Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) orthogonalises the steps of
    matrices; embeddings, biases and norms are AdamW's, as its authors advise. Its steps are as long as
    AdamW's (Liu et al. 2025, https://arxiv.org/abs/2502.16982), so that one learning rate serves both.
    """

    def __init__(self, network: nn.Module, lr: float, weight_decay: float) -> None:
        outside = {id(module.weight) for module in network.modules() if isinstance(module, nn.Embedding)}
        wanted = [one for one in network.parameters() if one.requires_grad]
        matrices = [one for one in wanted if one.ndim == 2 and id(one) not in outside]
        inside = {id(one) for one in matrices}
        self._parts: tuple[Optimizer, ...] = (
            Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
            AdamW([one for one in wanted if id(one) not in inside], lr=lr, weight_decay=0.0, fused=True),
        )
        super().__init__([group for part in self._parts for group in part.param_groups], {})
        self._share()

    def _share(self) -> None:
        """A scheduler sets learning rates in `param_groups`: the parts are to see them."""
        self.param_groups = [group for part in self._parts for group in part.param_groups]

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = None if closure is None else closure()
        for part in self._parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for part, state in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._share()
