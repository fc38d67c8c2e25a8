"""A site of the public internet: a local server under TLS that names and addresses of others lead to."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from httpcore2 import SyncBackend

from components.lab.from_address import Network

PUBLIC = "93.184.216.34"

Answer = tuple[int, Mapping[str, str], bytes]


@dataclass
class Site:
    """Answers by path. `names` are the addresses of hosts, asked for one after another; `connected` records
    those that were connected to, all of which lead to this server."""

    answers: dict[str, Answer] = field(default_factory=dict)
    names: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    connected: list[str] = field(default_factory=list)
    network: Network = field(default_factory=Network)

    def file(self, path: str, body: bytes, **headers: str) -> None:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = (200, {"Content-Length": str(len(body)), **more}, body)

    def resolve(self, host: str) -> Sequence[str]:
        known = self.names.get(host)
        if not known:
            raise OSError("no such host")
        return known.pop(0) if len(known) > 1 else known[0]


@contextmanager
def running_site(folder: Path, *hosts: str) -> Iterator[Site]:
    site = Site(names={host: [[PUBLIC]] for host in hosts})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = _certificate(folder, hosts)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    own_port = server.server_address[1]

    class Redirected(SyncBackend):
        def connect_tcp(self, host: str, port: int, *arguments: Any, **options: Any) -> Any:
            site.connected.append(host)
            return super().connect_tcp("127.0.0.1", own_port, *arguments, **options)

    trust = ssl.create_default_context(cafile=str(certificate))
    site.network = Network(resolve=site.resolve, backend=Redirected(), trust=trust)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            status, headers, body = site.answers.get(self.path, (404, {"Content-Length": "0"}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _certificate(folder: Path, hosts: Sequence[str]) -> Path:
    """A certificate for the hosts, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
