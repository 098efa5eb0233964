"""acme - an order of an ACME client (RFC 8555) from its account to its
certificate, and who answers http-01 for all of them; another one by tls-alpn-01,
whose answer is wrong."""
import base64
import hashlib
import http.server
import json
import pathlib
import re
import socketserver
import ssl
import subprocess
import threading

import play


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(n):
    return b64(n.to_bytes((n.bit_length() + 7) // 8, "big"))


def compact(obj):
    return json.dumps(obj, separators=(",", ":"), sort_keys=True).encode()


def parts(path, kind, opt):
    """{name: number} of the key in PATH, which is made if it is not there."""
    if not path.exists():
        subprocess.run(["openssl", "genpkey", "-algorithm", kind, "-pkeyopt",
                        opt, "-out", path], check=True, capture_output=True)
    text = subprocess.run(["openssl", "pkey", "-in", path, "-noout", "-text"],
                          check=True, capture_output=True, text=True).stdout
    return {name: int(re.sub(r"[\s:]", "", digits), 16) for name, digits in
            re.findall(r"(\w+):\n((?: +[0-9a-f:]+\n)+)", text)}


class Rsa:
    """RS256: what a signature needs is a power (RFC 8017, 8.2), and less time
    with both primes (5.1.2)."""

    DER = bytes.fromhex("3031300d060960864801650304020105000420")
    alg = "RS256"

    def __init__(self, p, q):
        self.n, self.p, self.q = p * q, p, q
        d = pow(65537, -1, (p - 1) * (q - 1))
        self.dp, self.dq, self.inverse = d % (p - 1), d % (q - 1), pow(q, -1, p)
        self.jwk = {"kty": "RSA", "n": number(self.n), "e": "AQAB"}
        self.thumb = b64(hashlib.sha256(compact(self.jwk)).digest())

    def sign(self, data):
        size = (self.n.bit_length() + 7) // 8
        tail = b"\0" + self.DER + hashlib.sha256(data).digest()
        block = int.from_bytes(b"\0\1" + b"\xff" * (size - 2 - len(tail)) +
                               tail, "big")
        one, two = pow(block, self.dp, self.p), pow(block, self.dq, self.q)
        return (two + (one - two) * self.inverse % self.p * self.q).to_bytes(
            size, "big")


class Ec:
    """ES256 of a key that is no secret: its private number stands for the
    random one, too, whose point is the public key then. So the signature of h
    is (x, h / d + x), as (x, (h + x d) / k) with k = d is."""

    ORDER = int("ffffffff00000000ffffffffffffffff"
                "bce6faada7179e84f3b9cac2fc632551", 16)
    alg = "ES256"

    def __init__(self, d, point):
        point = point.to_bytes(65, "big")
        self.inverse = pow(d, -1, self.ORDER)
        self.x = int.from_bytes(point[1:33], "big") % self.ORDER
        self.jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]),
                    "y": b64(point[33:])}
        self.thumb = b64(hashlib.sha256(compact(self.jwk)).digest())

    def sign(self, data):
        h = int.from_bytes(hashlib.sha256(data).digest(), "big")
        s = (h * self.inverse + self.x) % self.ORDER
        return self.x.to_bytes(32, "big") + s.to_bytes(32, "big")


class Tokens(http.server.BaseHTTPRequestHandler):
    """http-01, for whoever asks: TOKEN.THUMBPRINT, of that client whose token
    it is told to be."""

    def do_GET(self):
        token = self.path.split("/")[-1]
        text = f"{token}.{self.server.thumbs.get(token, self.server.thumb)}"
        text = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Alpn(socketserver.BaseRequestHandler):
    """tls-alpn-01 (RFC 8737), for whoever asks: what it is to show, of another
    key authorization."""

    def handle(self):
        try:
            with self.server.tls.wrap_socket(self.request,
                                             server_side=True) as s:
                s.recv(1)
        except OSError:
            pass


def alpn_server(base):
    pem = base / "alpn.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-keyout", pem, "-out",
         base / "alpn.crt", "-subj", "/CN=order.test", "-addext",
         "subjectAltName=DNS:order.test", "-addext",
         "1.3.6.1.5.5.7.1.31=critical,DER:0420" + "00" * 32], check=True,
        capture_output=True)
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Alpn)
    server.daemon_threads = True
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(base / "alpn.crt", pem)
    server.tls.set_alpn_protocols(["acme-tls/1"])
    return server


class World:
    """What clients have, and the web server of the names they order."""

    def __init__(self, base, port=0):
        base = pathlib.Path(base)
        rsa = parts(base / "account.key", "RSA", "rsa_keygen_bits:2048")
        ec = parts(base / "account-ec.key", "EC", "ec_paramgen_curve:P-256")
        self.key = Rsa(rsa["prime1"], rsa["prime2"])
        self.ec_key = Ec(ec["priv"], ec["pub"])
        csr = base / "order.csr"
        subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-keyout", base / "order.key",
             "-subj", "/CN=order.test", "-addext",
             "subjectAltName=DNS:order.test", "-outform", "DER", "-out", csr],
            check=True, capture_output=True)
        self.csr = b64(csr.read_bytes())
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", port), Tokens)
        self.web.thumb, self.web.thumbs = self.key.thumb, {}
        self.port = self.web.server_address[1]
        self.alpn = alpn_server(base)
        self.tls_port = self.alpn.server_address[1]
        for server in self.web, self.alpn:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self):
        for server in self.web, self.alpn:
            server.shutdown()
            server.server_close()


class Client:
    def __init__(self, world, port, key=None):
        self.world, self.port, self.key = world, port, key or world.key
        self.base = f"https://localhost:{port}"
        self.kid = self.nonce = None

    def send(self, method, path, body=b""):
        """Status, header fields, JSON or bytes."""
        head = (f"{method} {path} HTTP/1.0\r\nHost: localhost:{self.port}\r\n"
                "Content-Type: application/jose+json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        got = play.exchange(self.port, head + body)
        top, _, rest = got.partition(b"\r\n\r\n")
        fields = dict(re.findall(r"(?m)^([A-Za-z-]+): (.*?)\r?$",
                                 top.decode()))
        self.nonce = fields.get("Replay-Nonce")
        if not top.startswith(b"HTTP/1.1 2"):
            raise OSError(got)
        return fields, rest

    def post(self, url, payload=None):
        if self.nonce is None:
            self.send("HEAD", "/acme/new-nonce")
        who = {"kid": self.kid} if self.kid else {"jwk": self.key.jwk}
        head = b64(compact(dict(who, alg=self.key.alg, url=url,
                                nonce=self.nonce)))
        text = "" if payload is None else b64(compact(payload))
        body = {"protected": head, "payload": text, "signature":
                b64(self.key.sign(f"{head}.{text}".encode()))}
        fields, rest = self.send("POST", url[len(self.base):], compact(body))
        return fields, json.loads(rest) if rest.startswith(b"{") else rest


def validate(c, by):
    """A new order, and what has become of its one authorization."""
    fields, o = c.post(f"{c.base}/acme/new-order", {
        "identifiers": [{"type": "dns", "value": "order.test"}]})
    url, = o["authorizations"]
    challenge = {x["type"]: x for x in c.post(url)[1]["challenges"]}[by]
    c.world.web.thumbs[challenge["token"]] = c.key.thumb
    c.post(challenge["url"], {})
    for _ in range(500):  # each is a round trip
        status = c.post(url)[1]["status"]
        if status != "pending":
            break
    return fields, o, status


def order(world, port, on_account=lambda account: None, key=None, alpn=False):
    """From the account, whose id is told, to the certificate."""
    c = Client(world, port, key)
    c.kid = c.post(f"{c.base}/acme/new-account",
                   {"contact": ["mailto:a@order.test"]})[0]["Location"]
    on_account(c.kid.rpartition("/")[2])
    if alpn and validate(c, "tls-alpn-01")[2] != "invalid":
        return False
    fields, o, status = validate(c, "http-01")
    if status != "valid":
        return False
    c.post(o["finalize"], {"csr": world.csr})
    cert = c.post(c.post(fields["Location"])[1]["certificate"])[1]
    return cert.startswith(b"-----BEGIN CERTIFICATE-----\n")
