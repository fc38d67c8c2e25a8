"""The part of the Hub's API that creates repositories and takes commits, for one token."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

TOKEN = "hf_token_that_may_write"

Answer = tuple[int, Any]


@dataclass
class Uploads:
    """What was pushed: files by repository and path, and which repositories are private."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)

    def answer(self, endpoint: str, path: str, authorization: str | None, body: bytes) -> Answer:
        """Status and JSON for a POST."""
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if authorization != f"Bearer {TOKEN}":
            return (401 if authorization is None else 403), {"error": "no right to write"}
        if path == "/api/repos/create":
            return self._create(endpoint, json.loads(body))
        repo = "/".join(path.removeprefix("/api/models/").split("/")[:2])
        if repo not in self.files:
            return 404, {"error": "Repository not found"}
        if "/preupload/" in path:
            listed = json.loads(body)["files"]
            return 200, {
                "files": [
                    {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in listed
                ]
            }
        if "/commit/" in path:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.files[repo][entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            sha = "c" * 40
            return 200, {"commitUrl": f"{endpoint}/{repo}/commit/{sha}", "commitOid": sha}
        return 404, {"error": "unknown"}

    def _create(self, endpoint: str, asked: dict[str, Any]) -> Answer:
        repo = f"{asked['organization']}/{asked['name']}"
        if repo in self.files:
            return 409, {"error": "You already created this model repo", "url": f"{endpoint}/{repo}"}
        self.files[repo] = {}
        if asked.get("private") or asked.get("visibility") == "private":
            self.private.add(repo)
        return 200, {"url": f"{endpoint}/{repo}", "name": repo, "id": repo}
