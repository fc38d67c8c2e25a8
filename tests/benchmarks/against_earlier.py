"""What takes the decoder seconds, against an earlier commit's app on the same host, in turns.

    git worktree add --detach /tmp/earlier 719e214
    python -m tests.benchmarks.against_earlier /tmp/earlier [rounds]

Both run with this environment's packages and the same cache of weights. Each round asks either side once,
with a text that it has not seen, so that no kept answer is measured; ratios are medians of the rounds.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.visitors import Caller
from tests.server import clean_environment, free_port, running, running_app

DECODER = "SmolLM2-135M-Instruct"
SENTENCE = "The market of town {} opens early, and the bakers sell warm"
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "fill-mask, one gap": ("fill_mask", {"text": f"{SENTENCE} [MASK] to everybody.", "model": DECODER}),
    "zero-shot, five labels": (
        "zero_shot_classification",
        {"text": SENTENCE, "labels": ["food", "sport", "law", "music", "travel"], "model": DECODER},
    ),
    "attribution of a next token": (
        "attribution",
        {"task": "text_generation", "text": SENTENCE, "model": DECODER},
    ),
}


def seconds(url: str, task: str, payload: dict[str, Any], town: int) -> float:
    asked = {
        name: value.replace("{}", str(town)) if isinstance(value, str) else value
        for name, value in payload.items()
    }
    begun = time.perf_counter()
    Caller(url).post(f"/v1/{task}", asked)
    return time.perf_counter() - begun


def main(earlier: Path, rounds: int) -> None:
    port = free_port()
    command = [sys.executable, str(earlier / "app.py"), "--port", str(port)]
    with (
        running_app() as url,
        running(command, f"http://127.0.0.1:{port}/health", clean_environment()),
    ):
        sides = (url, f"http://127.0.0.1:{port}")
        for name, (task, payload) in REQUESTS.items():
            for side in sides:
                seconds(side, task, payload, 0)  # loads the model
            taken = [[seconds(side, task, payload, town) for side in sides] for town in range(1, rounds + 1)]
            now, then = (statistics.median(times) for times in zip(*taken, strict=True))
            ratio = statistics.median(one / other for one, other in taken)
            print(f"{name:28} {now:6.2f} s, earlier {then:6.2f} s: {ratio:.2f} times its time")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
