"""Files at addresses: fetched from the public internet by https, and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.lab import from_address, intake, roles
from components.lab.from_address import Network, public_address
from components.lab.workspace import Workspace, Workspaces, new_key
from components.models.errors import Code, TourError
from tests.fakes.documents import spreadsheet
from tests.fakes.site import PUBLIC, Site, running_site
from tests.tasks.suite import finish

HOST, OTHER = "data.example.org", "files.example.net"
ROWS = b"text,label\ngood film,1\nbad film,0\n"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path, HOST, OTHER) as site:
        yield site


@pytest.fixture
def workspaces(tmp_path: Path) -> Workspaces:
    return Workspaces(tmp_path / "lab", budget=10**10, each=10**10, removing=lambda folder: True)


@pytest.fixture
def workspace(workspaces: Workspaces) -> Workspace:
    return workspaces.open(new_key())


def refused(address: str, network: Network) -> TourError:
    with pytest.raises(TourError) as caught:
        from_address.look(address, network)
    return caught.value


@pytest.mark.parametrize(
    ("path", "headers", "body", "name"),
    [
        ("/moods.csv", {}, ROWS, "moods.csv"),
        ("/get?id=5", {"Content_Disposition": 'attachment; filename="moods.tsv"'},
         ROWS.replace(b",", b"\t"), "moods.tsv"),
        ("/a/b%20c.jsonl", {"Content_Type": "application/json"},
         b'{"text": "good film", "label": 1}\n{"text": "bad film", "label": 0}\n', "b c.jsonl"),
        ("/book.xlsx", {}, spreadsheet({"S": [["text", "label"], ["good film", 1], ["bad film", 0]]}),
         "book.xlsx"),
    ],
)  # fmt: skip
def test_a_file_is_taken_in_as_an_upload_is(
    path: str, headers: dict[str, str], body: bytes, name: str,
    site: Site, workspaces: Workspaces, workspace: Workspace,
) -> None:  # fmt: skip
    site.file(path, body, **headers)
    found = from_address.look(f"https://{HOST}{path}", site.network)
    assert (found.name, found.nbytes) == (name, len(body))
    finish(from_address.download(found.address, workspaces, workspace, site.network))
    draft = finish(intake.read(workspace, {}))
    assert draft.converted is not None
    data = intake.finalize(workspace, roles.guess(draft.converted.columns))
    assert data.about.source == f"https://{HOST}{path}"
    assert list(data.texts(range(2))) == ["good film", "bad film"]
    assert {*site.connected} == {PUBLIC}


def test_redirects_are_followed_and_each_is_checked(site: Site) -> None:
    site.answers["/old.csv"] = (302, {"Location": f"https://{OTHER}/new.csv", "Content-Length": "0"}, b"")
    site.file("/new.csv", ROWS)
    assert from_address.look(f"https://{HOST}/old.csv", site.network).address == f"https://{OTHER}/new.csv"
    site.names[OTHER] = [["10.0.0.7"]]
    assert "public internet" in refused(f"https://{HOST}/old.csv", site.network).message
    for target in (
        "http://data.example.org/new.csv",
        "https://localhost/x",
        "file:///etc/passwd",
        "//127.0.0.1/",
    ):
        site.answers["/old.csv"] = (301, {"Location": target, "Content-Length": "0"}, b"")
        site.names |= {"localhost": [["127.0.0.1"]], "127.0.0.1": [["127.0.0.1"]]}
        assert refused(f"https://{HOST}/old.csv", site.network).code is Code.INVALID_INPUT
    site.answers["/loop.csv"] = (302, {"Location": "/loop.csv", "Content-Length": "0"}, b"")
    assert "passed on" in refused(f"https://{HOST}/loop.csv", site.network).message
    assert {*site.connected} == {PUBLIC}


@pytest.mark.parametrize(
    "inside",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::", "2001:db8::1", "not an address",
    ],
)  # fmt: skip
def test_no_host_outside_the_public_internet_is_asked(inside: str, site: Site) -> None:
    site.names["inside.example.org"] = [[inside]]
    assert refused("https://inside.example.org/a.csv", site.network).field == "address"
    site.names["both.example.org"] = [[PUBLIC, inside]]
    refused("https://both.example.org/a.csv", site.network)
    assert not site.connected


@pytest.mark.parametrize("outside", [PUBLIC, "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"])
def test_hosts_of_the_public_internet_are(outside: str) -> None:
    assert public_address("example.org", lambda host: [outside]) == outside


def test_a_name_that_means_another_host_later_reaches_nothing_else(
    site: Site, workspaces: Workspaces, workspace: Workspace
) -> None:
    site.file("/a.csv", ROWS)
    site.names[HOST] = [[PUBLIC], ["127.0.0.1"]]
    found = from_address.look(f"https://{HOST}/a.csv", site.network)
    with pytest.raises(TourError, match="public internet"):
        finish(from_address.download(found.address, workspaces, workspace, site.network))
    assert site.connected == [PUBLIC]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (f"http://{HOST}/a.csv", "https://"),
        (f"ftp://{HOST}/a.csv", "https://"),
        ("file:///etc/passwd", "https://"),
        ("a.csv", "https://"),
        ("", "https://"),
        (f"https://{HOST}:8443/a.csv", "port 8443"),
        (f"https://{HOST}:x/a.csv", "no address"),
        (f"https://me:secret@{HOST}/a.csv", "password"),
        (f"https://{HOST}/a b.csv", "characters"),
        ("https://nobody.example.org/a.csv", "no host"),
        ("https://", "https://"),
    ],
)
def test_addresses_that_are_not_asked(address: str, words: str, site: Site) -> None:
    message = refused(address, site.network).message
    assert words in message
    assert "secret" not in message or len(message) < 200
    assert not site.connected


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {"Content-Length": "0"}, b""), "status 404"),
        ((503, {"Content-Length": "0"}, b""), "status 503"),
        ((200, {}, ROWS), "how large"),
        ((200, {"Content-Length": "x"}, ROWS), "does not"),
        ((200, {"Content-Length": str(len(ROWS)), "Content-Encoding": "gzip"}, ROWS), "how large"),
        ((200, {"Content-Length": str(intake.LARGEST + 1)}, b""), "MB"),
        ((200, {"Content-Length": "9", "Content-Type": "text/html; charset=utf-8"}, b"<html>   "),
         "web page"),
    ],
)  # fmt: skip
def test_answers_that_are_not_taken(answer: Any, words: str, site: Site) -> None:
    site.answers["/a.csv"] = answer
    assert words in refused(f"https://{HOST}/a.csv", site.network).message


def test_a_download_that_breaks_off_leaves_nothing(
    site: Site, workspaces: Workspaces, workspace: Workspace
) -> None:
    site.answers["/a.csv"] = (200, {"Content-Length": str(len(ROWS) + 100)}, ROWS)
    with pytest.raises(TourError) as caught:
        finish(from_address.download(f"https://{HOST}/a.csv", workspaces, workspace, site.network))
    assert caught.value.code is Code.UNREACHABLE
    assert intake.draft_of(workspace) is None
