"""A local server that speaks the parts of the Hub's API which huggingface_hub uses."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.uploads import Uploads

LARGE = (".safetensors", ".bin")  # what the Hub keeps in its large file storage, named by SHA-256


@dataclass
class FakeHub:
    """Repositories by id, each a folder of files. `requests` records "METHOD path" in order.

    `damage` names files served with a byte flipped, each as often as its count says;
    `cut` names files whose body ends half-way, likewise; those that are `held` pause there until `speak`, and
    `paused` says that one does. `gated` repositories need a token.
    `datasets` are folders of data sets by (id, revision), with the files that `main` or another revision has.
    `conversions` are the folders of pull requests, number 1 each, by (repository, who opened it).
    `answers` are (status, body) in place of a file, by its name, each used once, the last first.
    While `silent_api` is set, the API's requests wait for `speak`; a commit is lost then.
    """

    repos: dict[str, Path] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    damage: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    paused: threading.Event = field(default_factory=threading.Event)
    gated: set[str] = field(default_factory=set)
    conversions: dict[tuple[str, str], Path] = field(default_factory=dict)
    datasets: dict[tuple[str, str], Path] = field(default_factory=dict)
    uploads: Uploads = field(default_factory=Uploads)
    answers: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    endpoint: str = ""
    silent_api: threading.Event = field(default_factory=threading.Event)
    speak: threading.Event = field(default_factory=threading.Event)

    def commit(self, repo: str) -> str:
        return hashlib.sha1(repo.encode(), usedforsecurity=False).hexdigest()

    def downloads(self, name: str) -> int:
        """How often a file's body was asked for."""
        return sum(line.startswith("GET ") and line.endswith(f"/{name}") for line in self.requests)


@contextmanager
def running_hub(repos: dict[str, Path]) -> Iterator[FakeHub]:
    """Serve folders as repositories on a free port of this host."""
    hub = FakeHub(dict(repos))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        hub.speak.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def black_hole() -> Iterator[str]:
    """The address of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.requests.append(f"POST {path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if hub.silent_api.is_set() and "/commit/" in path:
                hub.speak.wait(60)
                return
            status, content = hub.uploads.answer(hub.endpoint, path, self.headers.get("authorization"), body)
            self._send(json.dumps(content).encode(), "application/json", status)

        def do_PUT(self) -> None:
            hub.requests.append(f"PUT {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._send(b"", "text/plain", hub.uploads.store(self.path, body))

        def _answer(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.requests.append(f"{self.command} {path}")
            if path == "/":
                return self._send(b"{}", "application/json")
            if path == "/api/models":
                return self._json(_listed(hub, parse_qs(urlsplit(self.path).query)))
            if path == "/api/datasets":
                words = parse_qs(urlsplit(self.path).query).get("search", [""])[0].lower()
                named = [repo for (repo, revision) in hub.datasets if revision == "main"]
                return self._json(
                    [
                        {"id": repo, "downloads": 1200, "tags": ["license:mit"], "gated": repo in hub.gated,
                         "description": "<b>Texts</b>\nand moods."}
                        for repo in named if words in repo.lower()
                    ]
                )  # fmt: skip
            if (tree := hub.uploads.tree(path)) is not None:
                return self._json(tree)
            if path.startswith("/api/") and hub.silent_api.is_set():
                hub.speak.wait(60)
            for (repo, revision), folder in hub.datasets.items():
                sha = hub.commit(f"{repo}@{revision}")
                if repo in hub.gated and repo in path:
                    return self._error(401, "GatedRepo")
                if path == f"/api/datasets/{repo}" + (f"/revision/{revision}" if revision != "main" else ""):
                    return self._json(_dataset(repo, sha, folder))
                if path.startswith(place := f"/datasets/{repo}/resolve/{sha}/"):
                    return self._file(sha, folder / path.removeprefix(place))
            for repo, folder in hub.repos.items():
                sha = hub.commit(repo)
                if path == f"/api/models/{repo}/discussions":
                    return self._json(_pull_requests(hub, repo))
                if (request := hub.commit(f"{repo}#1")) in path or path.endswith("/revision/refs/pr/1"):
                    sha = request
                    folder = next(each for (owner, _), each in hub.conversions.items() if owner == repo)
                if repo in hub.gated and repo in path and not self.headers.get("authorization"):
                    return self._error(401, "GatedRepo")
                if path.startswith(f"/api/models/{repo}/tree/"):
                    return self._json([_tree_entry(file) for file in _files(folder)])
                if path.startswith(f"/api/models/{repo}") and path.split("/")[-1] in (
                    repo.split("/")[-1],
                    *("main", "1", sha),
                ):
                    return self._json(_model(repo, sha, folder))
                if path.startswith(f"/api/models/{repo}/revision/"):
                    return self._error(404, "RevisionNotFound")
                if path.startswith(f"/{repo}/resolve/"):
                    name = path.split("/resolve/")[1].split("/", 1)[1]
                    file = folder / name
                    return self._file(sha, file) if file.is_file() else self._error(404, "EntryNotFound")
            return self._error(404, "RepoNotFound")

        def _file(self, sha: str, file: Path) -> None:
            body, etag = file.read_bytes(), _etag(file)
            headers = {"X-Repo-Commit": sha, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
            if file.suffix in LARGE:
                headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(body))}
            get = self.command == "GET"
            if get and (answers := hub.answers.get(file.name)):
                status, content = answers.pop()
                self._send(content, "text/html", status)
                return
            if get and hub.damage.get(file.name, 0) > 0:
                hub.damage[file.name] -= 1
                body = body[:-1] + bytes([body[-1] ^ 1])
            total, start, status = len(body), 0, 200
            if wanted := self.headers.get("Range"):
                start = int(wanted.removeprefix("bytes=").split("-")[0])
                status = 206
                headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
            sent = body[start:]
            if get and hub.cut.get(file.name, 0) > 0:
                hub.cut[file.name] -= 1
                sent = sent[: len(sent) // 2]
                self.close_connection = True
            if file.name in hub.held:
                self._send(
                    sent[: len(sent) // 2], "application/octet-stream", status, headers, length=total - start
                )
                self.wfile.flush()
                self.close_connection = True
                hub.paused.set()
                hub.speak.wait(60)
                return
            self._send(sent, "application/octet-stream", status, headers, length=total - start)

        def _json(self, data: object) -> None:
            self._send(json.dumps(data).encode(), "application/json")

        def _error(self, status: int, code: str) -> None:
            self._send(b"{}", "application/json", status, {"X-Error-Code": code, "X-Error-Message": code})

        def _send(
            self,
            body: bytes,
            kind: str,
            status: int = 200,
            headers: dict[str, str] | None = None,
            length: int | None = None,
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


def _model(repo: str, sha: str, folder: Path) -> dict[str, Any]:
    siblings = [{"rfilename": file.name, "size": file.stat().st_size} for file in _files(folder)]
    tags = ["license:mit", "en", "safetensors"]
    return {
        "id": repo,
        "modelId": repo,
        "sha": sha,
        "siblings": siblings,
        "tags": tags,
        "downloads": 7,
        "likes": 1,
        "safetensors": {"parameters": {"F32": _parameters(folder)}, "total": _parameters(folder)},
    }


def _dataset(repo: str, sha: str, folder: Path) -> dict[str, Any]:
    """The card's front matter is JSON here, which is YAML too."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    card = folder / "README.md"
    return {
        "id": repo,
        "sha": sha,
        "siblings": [
            {"rfilename": path.relative_to(folder).as_posix(), "size": path.stat().st_size} for path in files
        ],
        "tags": ["license:mit", "language:en"],
        "cardData": json.loads(card.read_text().strip("-\n")) if card.is_file() else None,
    }


def _parameters(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.safetensors")) // 4


def _listed(hub: FakeHub, query: dict[str, list[str]]) -> list[dict[str, Any]]:
    words, task, size = (
        "".join(query.get(name, [])) for name in ("search", "pipeline_tag", "num_parameters")
    )
    bounds = {
        bound: int(count[:-1]) * {"M": 10**6, "B": 10**9}[count[-1]]
        for bound, _, count in (part.partition(":") for part in size.split(",") if part)
    }
    found = (
        _model(repo, hub.commit(repo), folder) for repo, folder in hub.repos.items() if words.lower() in repo
    )
    return [
        {**model, "pipeline_tag": task or None}
        for model in found
        if set(query.get("filter", [])) <= set(model["tags"])
        and bounds.get("min", 0) <= model["safetensors"]["total"] <= bounds.get("max", 10**12)
    ]


def _pull_requests(hub: FakeHub, repo: str) -> dict[str, object]:
    found = [
        {
            "num": 1,
            "title": "Adding `safetensors` variant of this model",
            "author": {"name": author},
            "createdAt": "2023-01-01T00:00:00.000Z",
            "status": "open",
            "repo": {"name": repo, "type": "model"},
            "isPullRequest": True,
        }
        for owner, author in hub.conversions
        if owner == repo
    ]
    return {"discussions": found, "count": len(found), "start": 0}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _etag(file: Path) -> str:
    body = file.read_bytes()
    if file.suffix in LARGE:
        return hashlib.sha256(body).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


def _tree_entry(file: Path) -> dict[str, object]:
    size, etag = file.stat().st_size, _etag(file)
    entry: dict[str, object] = {"type": "file", "path": file.name, "size": size, "oid": etag}
    if file.suffix in LARGE:
        entry["oid"] = hashlib.sha1(etag.encode(), usedforsecurity=False).hexdigest()
        entry["lfs"] = {"oid": etag, "size": size, "pointerSize": 134}
    return entry
