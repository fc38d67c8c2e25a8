"""Uploads: those that break off, that are alike, too large, or find no room; none leaves anything behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from components.models.errors import TourError
from components.serving.uploads import uploads
from components.temporary import TemporaryFiles
from tests.fakes.disk import small_disk
from tests.server import running_app
from tests.serving.interfaces import post

UPLOAD = "/gradio_api/upload"
ROWS = b"text,label\n" + b"I am so glad,joy\nHow sad,sadness\n" * 400


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def url(place: Path) -> Iterator[str]:
    with running_app(GRADIO_TEMP_DIR=str(place)) as url:
        yield url


def files(place: Path) -> list[Path]:
    return [
        Path(folder) / name for folder, _, names in os.walk(place) for name in names if name != "server.lock"
    ]


def until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def head(url: str, nbytes: int, *, declared: int | None = None) -> bytes:
    host = urlsplit(url).netloc
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="hand-out.csv"\r\n\r\n'
    return (
        f"POST {UPLOAD} HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {declared or nbytes}\r\n\r\n".encode()
        + part
        + b"a" * nbytes
    )


def test_an_upload_that_breaks_off_leaves_nothing(url: str, place: Path) -> None:
    address = (urlsplit(url).hostname, urlsplit(url).port)
    for _ in range(3):
        with socket.create_connection(address) as client:
            client.sendall(head(url, 3_000_000, declared=10_000_000))
            assert until(lambda: any(one.stat().st_size for one in files(place)))
        assert until(lambda: not files(place)), files(place)
    with ThreadPoolExecutor() as pool:  # and the next one is taken
        sent = pool.submit(httpx.post, f"{url}{UPLOAD}", files={"files": ("a.csv", ROWS)}).result()
    assert sent.status_code == 200
    assert Path(sent.json()[0]).read_bytes() == ROWS


def test_the_same_file_of_two_visitors_is_two_files(url: str) -> None:
    first, second = (
        post(f"{url}{UPLOAD}", files={"files": ("hand-out.csv", ROWS)}).json()[0] for _ in range(2)
    )
    assert first != second
    Path(first).unlink()  # as the lab does, which takes the file over
    assert Path(second).read_bytes() == ROWS


@pytest.mark.parametrize("parts", [1, 4])
def test_the_files_of_one_request_are_bounded_together(url: str, place: Path, parts: int) -> None:
    before = len(files(place))
    body = b"a" * (160_000_000 // parts)
    answer = post(f"{url}{UPLOAD}", files=[("files", (f"{n}.csv", body)) for n in range(parts)], timeout=60)
    assert answer.status_code == 413
    assert "150 MB together" in answer.text
    assert until(lambda: len(files(place)) == before)


def test_a_body_of_undeclared_length_is_bounded_too(url: str, place: Path) -> None:
    before = len(files(place))

    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
        for _ in range(160):
            yield b"a" * 1_000_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    try:
        answer = httpx.post(f"{url}{UPLOAD}", content=body(), headers=headers, timeout=60)
    except httpx.WriteError:  # the server has closed the connection
        pass
    else:
        assert answer.status_code == 413
    assert until(lambda: len(files(place)) == before)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"{}", "application/json"),
        (b"nothing", "multipart/form-data; boundary=x"),
        (b"nothing", "multipart/form-data"),
        (
            b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\na\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\n" + b"A: " + b"b" * 20_000 + b"\r\n\r\n", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data; boundary=" + "y" * 300),
    ],
)
@pytest.mark.parametrize("query", ["", "?upload_id=x"])
def test_what_is_no_upload_is_refused(
    url: str, place: Path, body: bytes, media_type: str, query: str
) -> None:
    before = len(files(place))
    answer = post(f"{url}{UPLOAD}{query}", content=body, headers={"Content-Type": media_type})
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert answer.json() == []
    assert until(lambda: len(files(place)) == before)


def test_a_full_disk_is_told_and_not_kept_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8_000_000) as disk:
        temporary = TemporaryFiles(disk / "files", budget=10**9, reserve=0)
        with TestClient(Starlette(routes=[uploads(temporary, 150_000_000)])) as client:
            for sent in (4_000_000, 12_000_000):  # the second is refused before it comes
                answer = client.post(UPLOAD, files={"files": ("a.csv", b"a" * sent)})
                assert answer.status_code == (200 if sent < 8_000_000 else 507), answer.text

            def lying() -> Iterator[bytes]:  # no length: it is noticed on the way
                yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
                for _ in range(8):
                    yield b"a" * 1_000_000

            small = TemporaryFiles(disk / "small", budget=10**12, reserve=-(10**9))
            with TestClient(Starlette(routes=[uploads(small, 150_000_000)])) as other:
                headers = {"Content-Type": "multipart/form-data; boundary=x"}
                answer = other.post(UPLOAD, content=lying(), headers=headers)
            assert answer.status_code == 507
            assert "full" in answer.text
            assert not files(small.folder)


def test_room_is_kept_for_what_is_still_coming(tmp_path: Path) -> None:
    room = TemporaryFiles(tmp_path / "files", budget=1000)
    folder = room.take(800)
    with pytest.raises(Exception, match="full"):
        room.take(300)
    room.discard(folder)
    room.take(300)


def test_many_files_make_the_next_upload_no_slower(tmp_path: Path) -> None:
    room = TemporaryFiles(tmp_path / "files", budget=10**9)
    looks = 0

    def count(frame: FrameType, event: str, called: Any) -> None:
        nonlocal looks
        looks += event == "c_call" and called.__name__ in ("scandir", "listdir", "stat")

    def one() -> int:
        before = looks
        folder = room.take(100, "192.0.2.1")
        (folder / "rows.csv").write_bytes(ROWS[:100])
        room.done(folder)
        return looks - before

    sys.setprofile(count)
    try:
        steps = [one() for _ in range(300)]
    finally:
        sys.setprofile(None)
    assert steps[1] > 0
    assert sorted(steps)[150] <= 2 * steps[1]
    room.close()


def test_one_address_leaves_room_for_others(tmp_path: Path) -> None:
    room = TemporaryFiles(tmp_path / "files", budget=1000, each=400)
    first = room.take(300, "192.0.2.1")
    (first / "rows.csv").write_bytes(b"a" * 300)
    room.done(first)
    with pytest.raises(TourError, match="your address"):
        room.take(200, "192.0.2.1")
    for sender in ("192.0.2.2", None):
        room.discard(room.take(400, sender))
    room.take(100, "192.0.2.1")
    with pytest.raises(TourError, match="your address"):  # what is promised counts
        room.take(1, "192.0.2.1")
    (first / "rows.csv").unlink()  # as the lab does, which takes the file over
    room.take(300, "192.0.2.1")


def test_the_address_of_an_upload_is_counted(tmp_path: Path) -> None:
    room = TemporaryFiles(tmp_path / "files", budget=10**9, each=1_000_000)
    app = Starlette(routes=[uploads(room, 150_000_000)])
    answers = []
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "127.0.0.1", "127.0.0.1"):
        with TestClient(app, client=(address, 50_000)) as client:
            answers.append(client.post(UPLOAD, files={"files": ("a.csv", b"a" * 600_000)}))
    assert [one.status_code for one in answers] == [200, 507, 200, 200, 200]
    assert "your address" in answers[1].text
    assert answers[1].headers["retry-after"].isdecimal()


def test_what_a_killed_server_left_is_gone_at_the_next_start(tmp_path: Path) -> None:
    root = tmp_path / "files"
    code = (
        "import os, sys; from pathlib import Path; from components.temporary import TemporaryFiles\n"
        "(TemporaryFiles(Path(sys.argv[1]), budget=10**6).take(9) / 'part').write_text('half')\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(root)], cwd=Path(__file__).parents[2])
    assert files(root)
    held = TemporaryFiles(root, budget=10**6)
    assert not files(root)
    other = TemporaryFiles(root, budget=10**6)  # a second server on this host has a folder of its own
    kept = held.new("kept")
    kept.write_text("kept")
    other.close()
    assert kept.exists()
    held.close()
    assert not files(root)
