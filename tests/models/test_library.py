"""Transformers is imported by several threads at once."""

from __future__ import annotations

import subprocess
import sys

from tests.server import ROOT

SCRIPT = """
import threading
from components.models.library import import_transformers
start = threading.Barrier(6)
seen = []
def use():
    start.wait()
    import_transformers()
    import transformers
    seen.append(hasattr(transformers, "AutoModel"))
threads = [threading.Thread(target=use) for _ in range(6)]
for one in threads: one.start()
for one in threads: one.join()
print(seen)
"""


def test_each_thread_gets_the_whole_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.stdout.strip() == str([True] * 6), done.stderr
