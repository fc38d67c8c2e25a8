"""A real nginx in front of the app, which publishes it below a path."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.server import ROOT, clean_environment, free_port, running, running_app

PATH = "/tour"
PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")


@dataclass(frozen=True)
class Proxied:
    """The app's own address, and the proxy's: where it takes the prefix away, and where it keeps it."""

    app: str
    stripping: str
    keeping: str


@contextmanager
def proxied_app() -> Iterator[Proxied]:
    assert PROGRAM, "nginx is not installed"
    stripping, keeping = free_port(), free_port()
    with (
        running_app("--proxies", "127.0.0.1", GRADIO_ROOT_PATH=PATH) as app,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        template = Template((ROOT / "tests/data/nginx.conf").read_text("utf-8"))
        config = Path(folder) / "nginx.conf"
        config.write_text(
            template.substitute(folder=folder, app=app, stripping=stripping, keeping=keeping), "utf-8"
        )
        found = Proxied(app, *(f"http://127.0.0.1:{port}{PATH}" for port in (stripping, keeping)))
        command = [PROGRAM, "-e", "stderr", "-p", folder, "-c", str(config)]
        with running(command, f"{found.stripping}/health", clean_environment()):
            yield found
