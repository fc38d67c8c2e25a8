"""The part of the Hub's API that creates repositories and takes commits, for one token.

As on the Hub, a Space takes binary files through the large file storage alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

TOKEN = "hf_token_that_may_write"

Answer = tuple[int, Any]


@dataclass
class Uploads:
    """What was pushed: files by repository and path, and which repositories are private.

    Repositories of models go by their id, Spaces by `spaces/` and theirs. `stored` is the large file storage,
    by SHA-256.
    """

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    stored: dict[str, bytes] = field(default_factory=dict)

    def answer(self, endpoint: str, path: str, authorization: str | None, body: bytes) -> Answer:
        """Status and JSON for a POST."""
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if authorization != f"Bearer {TOKEN}":
            return (401 if authorization is None else 403), {"error": "no right to write"}
        if path == "/api/repos/create":
            return self._create(endpoint, json.loads(body))
        if path.endswith("/info/lfs/objects/batch"):
            return 200, self._batch(endpoint, json.loads(body)["objects"])
        kind, *names = path.removeprefix("/api/").split("/")[:3]
        repo = "/".join(names if kind == "models" else [kind, *names])
        if repo not in self.files:
            return 404, {"error": "Repository not found"}
        if "/preupload/" in path:
            listed = json.loads(body)["files"]
            return 200, {
                "files": [
                    {"path": one["path"], "uploadMode": _mode(kind, one["sample"]), "shouldIgnore": False}
                    for one in listed
                ]
            }
        if "/commit/" in path:
            for line in body.splitlines():
                self._commit(repo, **json.loads(line))
            sha = "c" * 40
            return 200, {"commitUrl": f"{endpoint}/{repo}/commit/{sha}", "commitOid": sha}
        return 404, {"error": "unknown"}

    def tree(self, path: str) -> list[dict[str, Any]] | None:
        """The files of a Space, for a GET."""
        match path.removeprefix("/api/").split("/"):
            case ["spaces", owner, name, "tree", _] if (repo := f"spaces/{owner}/{name}") in self.files:
                return [
                    {"type": "file", "path": path, "size": len(content), "oid": "0" * 40}
                    for path, content in self.files[repo].items()
                ]
        return None

    def store(self, path: str, body: bytes) -> int:
        """The status for a PUT into the large file storage."""
        oid = path.removeprefix("/lfs/")
        if hashlib.sha256(body).hexdigest() != oid:
            return 400
        self.stored[oid] = body
        return 200

    def _batch(self, endpoint: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "transfer": "basic",
            "objects": [
                {**one, "actions": {"upload": {"href": f"{endpoint}/lfs/{one['oid']}"}}} for one in objects
            ],
        }

    def _commit(self, repo: str, key: str, value: dict[str, Any]) -> None:
        files = self.files[repo]
        match key:
            case "file":
                files[value["path"]] = base64.b64decode(value["content"])
            case "lfsFile":
                files[value["path"]] = self.stored[value["oid"]]
            case "deletedFile":
                del files[value["path"]]

    def _create(self, endpoint: str, asked: dict[str, Any]) -> Answer:
        repo = f"{asked['organization']}/{asked['name']}"
        if asked.get("type") == "space":
            repo = f"spaces/{repo}"
        if repo in self.files:
            return 409, {"error": "You already created this repo", "url": f"{endpoint}/{repo}"}
        self.files[repo] = {}
        if asked.get("private") or asked.get("visibility") == "private":
            self.private.add(repo)
        return 200, {"url": f"{endpoint}/{repo}", "name": repo, "id": repo}


def _mode(kind: str, sample: str) -> str:
    """As the Hub decides by a file's first bytes, in base64."""
    binary = b"\0" in base64.b64decode(sample)
    return "lfs" if kind == "spaces" and binary else "regular"
