"""What the C library and MKL keep of memory that is not needed any more, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.server import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc alone keeps arenas")

# Threads that allocate at the same time; then most is freed, with something small kept above each piece.
CODE = """
import ctypes, json, re, sys, tempfile, threading
import psutil
from components.models import devices

if sys.argv[1] == "few":
    devices.keep_little()
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
together = threading.Barrier(24)

def work():
    together.wait()
    pieces = [(libc.malloc(100_000), libc.malloc(16)) for _ in range(50)]
    for large, _ in pieces:
        ctypes.memset(large, 1, 100_000)
    together.wait()
    for large, _ in pieces:
        libc.free(large)

threads = [threading.Thread(target=work) for _ in range(24)]
for one in threads: one.start()
for one in threads: one.join()
libc.fopen.restype = ctypes.c_void_p
libc.fopen.argtypes = [ctypes.c_char_p] * 2
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
with tempfile.NamedTemporaryFile() as file:
    stream = libc.fopen(file.name.encode(), b"w")
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    arenas = len(re.findall("<heap nr=", file.read().decode()))
before = psutil.Process().memory_info().rss
devices.give_back()
print(json.dumps({"arenas": arenas, "given": before - psutil.Process().memory_info().rss}))
"""

# Threads that each multiply as an encoder's layers do, and end.
MULTIPLYING = """
import ctypes, json, sys, threading
from components.models import devices

if sys.argv[1] == "few":
    devices.keep_little()
import torch

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
        "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]

libc = ctypes.CDLL("libc.so.6")
libc.mallinfo2.restype = Info
torch.set_num_threads(1)
layers = [torch.nn.Linear(*size) for size in ((384, 384), (384, 1536), (1536, 384))]

def work():
    with torch.inference_mode():
        for rows in (8, 16, 40, 64, 100, 200, 333, 512):
            x = torch.randn(rows, 384)
            for layer in layers:
                x = layer(x)

def live():
    info = libc.mallinfo2()
    return info.uordblks + info.hblkhd

work()
before = live()
for _ in range(3):
    threads = [threading.Thread(target=work) for _ in range(12)]
    for one in threads: one.start()
    for one in threads: one.join()
print(json.dumps({"kept": live() - before}))
"""


def looked_at(how: str, code: str = CODE, **environment: str) -> dict[str, int]:
    usual = {
        name: value for name, value in os.environ.items() if not name.startswith(("MALLOC", "GLIBC", "MKL"))
    }
    found = subprocess.run(
        [sys.executable, "-c", code, how],
        cwd=ROOT,
        env=usual | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(found.stdout))


def test_threads_share_two_arenas_and_what_is_free_is_given_back() -> None:
    found = looked_at("few")
    assert found["arenas"] <= 2
    assert found["given"] > 60_000_000  # of 120 MB


def test_whoever_runs_it_can_choose() -> None:
    assert looked_at("few", MALLOC_ARENA_MAX="5")["arenas"] in (3, 4, 5)
    assert looked_at("usual")["arenas"] > 2


def test_threads_that_ended_keep_no_buffers_for_products_of_matrices() -> None:
    assert looked_at("few", MULTIPLYING)["kept"] < 2_000_000
