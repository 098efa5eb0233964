"""ca_limits - clients of ca serve that take more than their part, from
addresses of the loopback network; a line for each claim, "0 claim" or
"1 claim: what came instead".

    ca_limits.py PORT WHAT [ARGUMENT...]
"""
import base64
import collections
import fcntl
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import threading

import acme
import play

PORT = int(sys.argv[1])
GOOD, GREEDY = "127.0.0.1", "127.0.0.2"
WAIT = 60


def claim(good, text, got=""):
    print("0" if good else "1", text + ("" if good else f": {got}"),
          flush=True)


def connect(source):
    return socket.create_connection(("127.0.0.1", PORT), WAIT, (source, 0))


def ask(source, request, wrap=play.bare):
    """All that comes, or "" if the connection is closed at once."""
    try:
        with connect(source) as s:
            s = wrap(s)
            s.sendall(request)
            text = b""
            while True:
                more = s.recv(65536)
                if not more:
                    return text
                text += more
    except (ConnectionError, OSError):
        return b""


def get(source, path):
    return ask(source, b"GET " + path + b" HTTP/1.0\r\n\r\n")


def is_open(s):
    """Does it answer still?"""
    try:
        s.sendall(b"GET /ca.pem HTTP/1.0\r\n\r\n")
        return s.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def connections(most):
    """Of --max-per-address MOST."""
    held = [connect(GREEDY) for _ in range(most)]
    claim(get(GOOD, b"/ca.pem").startswith(b"HTTP/1.1 200"),
          "another address is served")
    claim(get(GREEDY, b"/ca.pem").startswith(b"HTTP/1.1 200"),
          "the same one, too, in place of its oldest")
    states = [is_open(s) for s in held]
    claim(states == [False] + [True] * (most - 1),
          "which is closed, and no other one", states)


def whole(path):
    text = get(GOOD, path)
    size = int(text.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    claim(len(text) > size > 20000000, "who takes an answer at once gets it",
          len(text))


def slow(path):
    """With a short --timeout: a byte now and then is not enough."""
    with connect(GREEDY) as s:
        sent = 0
        s.settimeout(0.02)
        try:
            while sent < 5000:
                s.sendall(b"x")
                sent += 1
                try:
                    if s.recv(1) == b"":
                        break
                except TimeoutError:
                    pass
        except OSError:
            pass
        claim(sent < 5000, "a request that never ends is ended")
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(WAIT)
        s.connect(("127.0.0.1", PORT))
        s.sendall(b"GET " + path + b" HTTP/1.0\r\n\r\n")
        taken = 0
        try:
            while taken < 600:  # some seconds
                taken += len(s.recv(1))
                threading.Event().wait(0.005)
            more = s.recv(65536)
            while more:
                taken += len(more)
                more = s.recv(65536)
        except OSError:
            pass
        claim(600 <= taken < 20000000,
              "who takes it byte by byte does not get all of it", taken)


class Client(acme.Client):
    """From an address of its own; send() gives the status, too."""

    def __init__(self, world, source, key=None):
        super().__init__(world, PORT, key)
        self.source = source

    def send(self, method, path, body=b""):
        head = (f"{method} {path} HTTP/1.0\r\nHost: localhost:{PORT}\r\n"
                "Content-Type: application/jose+json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        got = ask(self.source, head + body, play.tls)
        top, _, rest = got.partition(b"\r\n\r\n")
        self.status = int(top[9:12] or 0)
        self.text = rest
        self.fields = dict(line.split(": ", 1) for line in
                           top.decode().splitlines()[1:])
        self.nonce = self.fields.get("Replay-Nonce")
        return self.fields, rest

    def post(self, url, payload=None, nonce=None):
        if nonce is not None:
            self.nonce = nonce
        return super().post(url, payload)

    def kind(self):
        return json.loads(self.text).get("type", "").split(":")[-1]

    def make(self):
        self.kid = None
        self.kid = self.post(f"{self.base}/acme/new-account", {})[0].get(
            "Location")
        return self.status


def nonces(world):
    good, greedy = Client(world, GOOD), Client(world, GREEDY)
    good.send("HEAD", "/acme/new-nonce")
    kept = good.nonce
    greedy.send("HEAD", "/acme/new-nonce")
    first = greedy.nonce
    for _ in range(300):
        greedy.send("HEAD", "/acme/new-nonce")
    last = greedy.nonce
    url = f"{good.base}/acme/new-account"
    greedy.post(url, {}, first)
    claim(greedy.status == 400 and greedy.kind() == "badNonce",
          "who takes many nonces loses the oldest of its own", greedy.text)
    claim(bool(greedy.nonce), "and is told the next one")
    greedy.post(url, {}, last)
    claim(greedy.status in (200, 201), "its last one is good", greedy.text)
    good.post(url, {}, kept)
    claim(good.status == 200, "that of another address, too", good.text)
    good.post(url, {}, kept)
    claim(good.kind() == "badNonce", "once", good.text)


class Steady(Client):
    """Over one connection, for many requests."""

    def __init__(self, world, source, key=None):
        super().__init__(world, source, key)
        self.connection = http.client.HTTPSConnection(
            "127.0.0.1", PORT, timeout=WAIT, source_address=(source, 0),
            context=ssl._create_unverified_context())

    def send(self, method, path, body=b""):
        self.connection.request(method, path, body, {
            "Host": f"localhost:{PORT}",
            "Content-Type": "application/jose+json"})
        reply = self.connection.getresponse()
        self.status, self.text = reply.status, reply.read()
        self.fields = dict(reply.getheaders())
        self.nonce = self.fields.get("Replay-Nonce")
        return self.fields, self.text


def keys(count):
    """Of primes that others have as well: in no time."""
    primes = []
    while len(primes) * (len(primes) - 1) // 2 < count:
        p = int(subprocess.run(["openssl", "prime", "-generate", "-bits",
                                "1024"], check=True, capture_output=True,
                               text=True).stdout)
        if p % 65537 != 1:
            primes.append(p)
    return [acme.Rsa(p, q) for i, p in enumerate(primes) for q in primes[:i]]


def accounts(world):
    made = keys(66)
    states = [Client(world, GREEDY, key).make() for key in made[:50]]
    claim(states == [201] * 50, "an address makes accounts", states)
    for key in made[50:65]:  # time gives one more now and then
        greedy = Client(world, GREEDY, key)
        if greedy.make() == 429:
            break
    claim(greedy.status == 429 and greedy.kind() == "rateLimited" and
          1 <= int(greedy.fields.get("Retry-After", 0)) <= 60,
          "but not any number", f"{greedy.fields} {greedy.text}")
    claim(Client(world, GREEDY, made[0]).make() == 200,
          "those that it has are found all the same")
    claim(Client(world, GOOD, made[65]).make() == 201,
          "another address makes one")


def full_store(path, serials):
    """1,000 accounts of long ago."""
    rows = []
    for i in range(1000):
        n = (1 << 2047) + 2 * i + 1
        rows.append({"id": acme.b64(i.to_bytes(16, "big")), "status": "valid",
                     "created": 1600000000 + i, "contact": [],
                     "jwk": {"kty": "RSA", "n": acme.number(n), "e": "AQAB"},
                     "serials": serials})
    pathlib.Path(path).write_text(json.dumps(
        {"schema": "tlsock.acme-accounts/1", "accounts": rows}))
    return [row["id"] for row in rows]


def full(world, path, used):
    """PATH was full when the server began."""
    c = Client(world, GOOD, keys(1)[0])
    c.make()
    have = [row["id"] for row in json.loads(pathlib.Path(path).read_text())
            ["accounts"]]
    first = acme.b64((0).to_bytes(16, "big"))
    if used:
        claim(c.status == 429 and c.kind() == "rateLimited" and
              int(c.fields.get("Retry-After", 0)) > 0 and len(have) == 1000
              and first in have, "accounts with certificates are all kept",
              c.text)
    else:
        claim(c.status == 201 and len(have) == 1000 and first not in have and
              acme.b64((1).to_bytes(16, "big")) in have,
              "the oldest account that was never used makes room", c.text)


def orders(world):
    states = []
    for key in keys(3):
        greedy = Client(world, GREEDY, key)
        greedy.make()
        for _ in range(50):
            greedy.post(f"{greedy.base}/acme/new-order", {
                "identifiers": [{"type": "dns", "value": "order.test"}]})
            states.append(greedy.status)
    claim(states == [201] * 100 + [429] * 50 and
          greedy.kind() == "rateLimited" and
          int(greedy.fields.get("Retry-After", 0)) > 0,
          "an address has so many open orders", states)
    claim(acme.order(world, PORT), "another one gets a certificate")


def all_orders(world):
    """As many as there may be in all, from ten addresses."""
    identifiers = [{"type": "dns", "value": "order.test"}]
    states, places = [], []
    for i, key in enumerate(keys(20)[:20]):
        c = Steady(world, f"127.0.0.{10 + i // 2}", key)
        c.make()
        for _ in range(50):
            fields, _ = c.post(f"{c.base}/acme/new-order",
                               {"identifiers": identifiers})
            states.append(c.status)
            places.append((c, fields.get("Location")))
    claim(states == [201] * 1000, "ten addresses have 1,000 open orders",
          collections.Counter(states))

    def there(i):
        c, url = places[i]
        c.post(url)
        return c.status
    claim(there(0) == there(1) == there(999) == 200, "all of them are there")
    one = Steady(world, GOOD, keys(1)[0])
    one.make()
    one.post(f"{one.base}/acme/new-order", {"identifiers": identifiers})
    claim(one.status == 201, "another one is taken", one.text)
    claim((there(0), there(1), there(999)) == (404, 200, 200),
          "the oldest that nobody has begun with has made room")


def begin(client, names):
    """An order with all of its challenges asked to be checked: its address."""
    fields, _ = client.post(f"{client.base}/acme/new-order", {
        "identifiers": [{"type": "dns", "value": n} for n in names]})
    where = fields["Location"]
    for url in json.loads(client.text)["authorizations"]:
        client.post(url)
        client.post({x["type"]: x["url"] for x in json.loads(client.text)[
            "challenges"]}["http-01"], {})
    return where


def asked(listener):
    """The next one who validates: its connection, and whom it asks for."""
    s, text = listener.accept()[0], b""
    s.settimeout(WAIT)
    while b"\r\n\r\n" not in text:
        more = s.recv(4096)
        if not more:
            break
        text += more
    return s, text.partition(b"\r\nHost: ")[2].partition(b"\r\n")[0].decode()


def checks(world, port, each):
    """Validations that take their time: EACH of an address are under way."""
    greedy, good = Client(world, GREEDY), Client(world, GOOD)
    many = [f"n{i}.order.test" for i in range(each + 4)]
    held, names = [], []
    with socket.create_server(("127.0.0.1", port), backlog=64) as listener:
        listener.settimeout(WAIT)
        greedy.make()
        order = begin(greedy, many)
        last = json.loads(greedy.text)
        claim(last["status"] == "processing" and
              int(greedy.fields.get("Retry-After", 0)) > 0,
              "who has many names validated waits for some", last)
        good.make()
        begin(good, ["order.test"])
        while names[-1:] != ["order.test"]:
            s, name = asked(listener)
            held.append(s)
            names.append(name)
        claim(names == many[:each] + ["order.test"],
              "another address does not wait for them", names)
        while held:  # none of them is answered, and each makes room for one
            held.pop().close()
            if len(names) < len(many) + 1:
                s, name = asked(listener)
                held.append(s)
                names.append(name)
        claim(sorted(names) == sorted(many + ["order.test"]),
              "each is asked at last, once", names)
    for _ in range(5000):  # each is a round trip
        greedy.post(order)
        if json.loads(greedy.text)["status"] != "pending":
            break
    claim(json.loads(greedy.text)["status"] == "invalid",
          "and what was not answered is not valid", greedy.text)


def locked(world, directory):
    """Somebody works with the CA."""
    index = pathlib.Path(directory, "index")
    with open(pathlib.Path(directory, "lock"), "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        got = []
        waits = threading.Thread(target=lambda: got.append(
            acme.order(world, PORT)))
        waits.start()
        for path, what in ((b"/ca.pem", b"CERTIFICATE"), (b"/crl.pem", b"CRL"),
                           (b"/", b"certification")):
            text = get(GOOD, path)
            claim(text.startswith(b"HTTP/1.1 200") and what in text,
                  f"while the CA is locked: {path.decode()}", text[:100])
        had = index.read_bytes()
        waits.join(0.2)
        claim(waits.is_alive() and index.read_bytes() == had,
              "an order waits, and has nothing yet", got)
        fcntl.flock(lock, fcntl.LOCK_UN)
        waits.join(WAIT)
        claim(got == [True], "and gets its certificate then", got)


def locked_long(world, directory):
    """With a short --timeout."""
    c = Client(world, GOOD)
    c.make()
    fields, _ = c.post(f"{c.base}/acme/new-order", {
        "identifiers": [{"type": "dns", "value": "order.test"}]})
    o = json.loads(c.text)
    for url in o["authorizations"]:
        c.post(url)
        c.post(next(x["url"] for x in json.loads(c.text)["challenges"]
                    if x["type"] == "http-01"), {})
        for _ in range(5000):
            c.post(url)
            if json.loads(c.text)["status"] != "pending":
                break
    with open(pathlib.Path(directory, "lock"), "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        c.post(o["finalize"], {"csr": world.csr})
        claim(c.status == 503 and int(c.fields.get("Retry-After", 0)) > 0 and
              bool(c.nonce), "the CA is locked for too long: come back",
              f"{c.fields} {c.text}")
        for name in ("crl.der", "crl.pem"):
            pathlib.Path(directory, name).unlink()
        text = get(GOOD, b"/crl")
        claim(text.startswith(b"HTTP/1.1 503") and b"\r\nRetry-After: " in text,
              "no CRL, and none can be made: come back", text)
    c.post(o["finalize"], {"csr": world.csr})
    claim(c.status == 200 and json.loads(c.text)["status"] == "valid",
          "and it gets its certificate", c.text)
    claim(get(GOOD, b"/crl").startswith(b"HTTP/1.1 200"), "and the CRL")


def main():
    what, args = sys.argv[2], sys.argv[3:]
    if what == "store":
        full_store(args[0], json.loads(args[1]))
    elif what == "connections":
        connections(int(args[0]))
    elif what == "slow":
        slow(args[0].encode())
    elif what == "whole":
        whole(args[0].encode())
    else:
        # whoever counts validations answers them itself
        world = acme.World(".", 0 if what == "checks" else int(args[0]))
        try:
            {"nonces": nonces, "accounts": accounts, "orders": orders,
             "all_orders": all_orders,
             "checks": lambda w: checks(w, int(args[0]), int(args[1])),
             "full": lambda w: full(w, args[1], args[2] == "used"),
             "locked": lambda w: locked(w, args[1]),
             "locked_long": lambda w: locked_long(w, args[1])}[what](world)
        finally:
            world.close()


main()
