"""Who gives tokens to the users of a docker-registry, as auth.docker.io does for Docker Hub.

Source: distribution's token authentication specification (JSON Web Tokens, the signing certificate in `x5c`).
"""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from tests.http_server import Server

LIFE = 300  # seconds


@contextmanager
def serving(bundle: Path, user: str, password: str) -> Iterator[str]:
    """The URL that gives tokens to this user, in the issuer `tests`' name; its certificate is written to `bundle`."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key)
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != login:
                self.send_error(401)
                return
            query = parse_qs(urlsplit(self.path).query)
            body = json.dumps({"token": _token(key, certificate, query), "expires_in": LIFE}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/token"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=1))
    return builder.not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())


def _token(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, query: Mapping[str, list[str]]) -> str:
    der = certificate.public_bytes(serialization.Encoding.DER)
    now = int(time.time())
    access = []
    for scope in query.get("scope", []):
        kind, name, actions = scope.split(":")
        access.append({"type": kind, "name": name, "actions": actions.split(",")})
    header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
    claims = {"iss": "tests", "sub": "", "aud": query["service"][0], "jti": secrets.token_hex(8), "access": access}
    signed = f"{_part(header)}.{_part(claims | {'iat': now, 'nbf': now - 60, 'exp': now + LIFE})}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _part(value: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
