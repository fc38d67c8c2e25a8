"""Visitors as locust plays them: those who read pages, programs that ask /v1, Gradio's queue, and the lab.

What an app may say to too many at once (429 and 503 with a time to wait) is counted as a limit, under its own
name in the table; anything else that is not an answer is an error.

The time starts, and figures count, once each visitor has been answered all that it asks: then models are
loaded, and every path has been walked by as many at once as there will be.
"""

from __future__ import annotations

import json
import random
import secrets
from pathlib import Path
from typing import Any, ClassVar

import gevent  # type: ignore[import-untyped]
import httpx
from locust import HttpUser, between, events, task

from tests.soak.asked import ASKED

PAGES = ("", "text-classification", "fill-mask", "tokenizers", "attention", "lab", "story", "models", "api")
LIMITS = (429, 503)
PATIENCE = 120  # seconds that a client waits

CONFIG: dict[str, Any] = {}


@events.test_start.add_listener
def look(environment: Any, **_: Any) -> None:
    """The numbers of the lab's events, as a page learns them."""
    CONFIG.update(httpx.get(f"{environment.host}/config", timeout=60).json())


@events.init_command_line_parser.add_listener
def arguments(parser: Any, **_: Any) -> None:
    parser.add_argument("--warm", required=True, help="file that is made when the warm-up has ended")
    parser.add_argument("--seconds", type=float, required=True, help="from then on")


@events.test_start.add_listener
def measure(environment: Any, **_: Any) -> None:
    gevent.spawn(_measure, environment)


def _measure(environment: Any) -> None:
    runner, options = environment.runner, environment.parsed_options
    while Visitor.warm < options.num_users and not runner.stats.errors:  # which are the verdict already
        gevent.sleep(0.2)
    failures = [error.to_name() for error in runner.stats.errors.values()]
    runner.stats.reset_all()
    Path(options.warm).write_text(json.dumps(failures))
    gevent.sleep(options.seconds)
    runner.quit()


def event(elem_id: str, kind: str) -> dict[str, Any]:
    [part] = [one["id"] for one in CONFIG["components"] if one["props"].get("elem_id") == elem_id]
    found: dict[str, Any] = next(one for one in CONFIG["dependencies"] if [part, kind] in one["targets"])
    return found


class Visitor(HttpUser):
    abstract = True
    wait_time = between(2, 8)
    warm: ClassVar[int] = 0  # how many have been answered all that they ask
    last: str  # of the kinds that it asks

    answered = False

    def get(self, path: str, name: str) -> None:
        with self.client.get(path, name=name, catch_response=True, timeout=PATIENCE) as answer:
            self.judge(answer, name)

    def post(self, path: str, name: str, **sent: Any) -> Any:
        with self.client.post(path, name=name, catch_response=True, timeout=PATIENCE, **sent) as answer:
            return self.judge(answer, name)

    def judge(self, answer: Any, name: str) -> Any:
        """The answer where there is one; None where a limit was told as it should be."""
        if answer.status_code in LIMITS and answer.headers.get("retry-after", "").isdecimal():
            answer.request_meta["name"] = f"{name}: told to wait"
            answer.success()
            return None
        if answer.status_code != 200:
            answer.failure(f"{answer.status_code} {answer.text[:200]}")
            return None
        self.succeed(answer, name)
        return answer

    def succeed(self, answer: Any, name: str) -> None:
        answer.success()
        if name == self.last and not self.answered:
            self.answered = True
            Visitor.warm += 1

    def listen(self, path: str, name: str) -> None:
        """Reads a stream to its end."""
        with self.client.get(path, name=name, catch_response=True, stream=True, timeout=PATIENCE) as answer:
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code}")
                return
            last = ""
            for line in answer.iter_lines(decode_unicode=True):
                last = line or last
                if line.startswith("event: error") or '"success":false' in line:
                    answer.failure(line[:200])
                    return
                if line.startswith("event: complete") or "process_completed" in line:
                    self.succeed(answer, name)
                    return
            answer.failure(f"ended with {last[:100]}")


class Reader(Visitor):
    weight = 8
    last = "page"

    @task
    def page(self) -> None:
        self.client.headers["Accept-Encoding"] = "gzip"
        self.get(f"/{random.choice(PAGES)}", "page")


class Program(Visitor):
    weight = 4
    last = "/v1"

    @task
    def ask(self) -> None:
        name = random.choice([*ASKED])
        self.post(f"/v1/{name}", "/v1", json=ASKED[name])


class Client(Visitor):
    weight = 3
    last = "queue: answer"

    @task
    def call(self) -> None:
        name = random.choice(["text_classification", "fill_mask"])
        joined = self.post(f"/gradio_api/call/v2/{name}", "queue: join", json=ASKED[name])
        if joined is not None:
            self.listen(f"/gradio_api/call/{name}/{joined.json()['event_id']}", "queue: answer")


class Pupil(Visitor):
    """Uploads the hand-out, the same as all others, and has it read."""

    weight = 1
    last = "lab: read"
    rows = b"text,label\n" + b"".join(
        b"Message %d is here,%s\n" % (n, (b"joy", b"fear")[n % 2]) for n in range(200)
    )

    def on_start(self) -> None:
        self.key = secrets.token_urlsafe(24)

    @task
    def bring(self) -> None:
        sent = self.post("/gradio_api/upload", "lab: upload", files={"files": ("hand-out.csv", self.rows)})
        if sent is None:
            return
        take = event("lab-file", "upload")
        path = json.loads(sent.text)[0]
        file = {"path": path, "orig_name": "hand-out.csv", "meta": {"_type": "gradio.FileData"}}
        kinds = {one["id"]: one["type"] for one in CONFIG["components"]}
        session = secrets.token_hex(6)
        asked = {
            "fn_index": take["id"],
            "data": [file if kinds[id] == "file" else self.key for id in take["inputs"]],
            "session_hash": session,
        }
        if self.post("/gradio_api/queue/join", "lab: join", json=asked) is not None:
            self.listen(f"/gradio_api/queue/data?session_hash={session}", "lab: read")
