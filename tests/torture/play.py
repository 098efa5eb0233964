"""play - runs of commands that serve: three clients, one after the other, of
whom a single failure may cost one at most; then the end is asked for."""
import base64
import fcntl
import itertools
import json
import os
import select
import socket
import ssl
import struct
import subprocess
import termios
import time

CLIENTS = 3
WAIT = 20  # seconds, for what is to happen at once


def port_of(process, path):
    """The port that it writes when it is ready, or None if it has ended."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        try:
            text = path.read_text()
            if text.endswith("\n"):
                return int(text)
        except (FileNotFoundError, ValueError):
            pass
        try:
            process.wait(0.005)
            return None
        except subprocess.TimeoutExpired:
            continue
    return None


def dial(port):
    """What is sent goes at once: a request does not wait until the server's
    system has acknowledged the end of the handshake."""
    s = socket.create_connection(("127.0.0.1", port), WAIT)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def tls(sock):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(sock, server_hostname="app.test")


def echo_client(port):
    with dial(port) as plain, \
            tls(plain) as s:
        s.sendall(b"hello\n")
        return s.recv(100) == b"hello\n"


def plain_client(port):
    with dial(port) as s:
        s.sendall(b"hello\n")
        return s.recv(100) == b"hello\n"


def smtp_client(port):
    with dial(port) as plain:
        for line in (None, b"EHLO here\r\n", b"STARTTLS\r\n"):
            if line is not None:
                plain.sendall(line)
            text = b""
            while b"\n" not in text or text.splitlines()[-1][3:4] == b"-":
                more = plain.recv(1000)
                if not more:
                    return False
                text += more
        with tls(plain) as s:
            s.sendall(b"hello\n")
            return s.recv(100) == b"hello\n"


def connects_only(port):
    with dial(port):
        return True


def bare(sock):
    return sock


def exchange(port, request, wrap=tls):
    """All that comes in answer."""
    with dial(port) as plain:
        s = wrap(plain)
        s.sendall(request)
        text = b""
        while True:
            more = s.recv(65536)
            if not more:
                return text
            text += more


def in_two_parts(port, head, body):
    """The body when it is asked for."""
    with dial(port) as s:
        s.sendall(head + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        text = s.recv(1000)
        s.sendall(body)
        while True:
            more = s.recv(65536)
            if not more:
                return text
            text += more


def http_client(port, path, wrap=tls, what=b"hello"):
    text = exchange(port, b"GET " + path + b" HTTP/1.0\r\n\r\n", wrap)
    return b" 200 " in text[:20] and what in text


def through_proxy(port, target, then, wrap=tls):
    with dial(port) as plain:
        plain.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % target)
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            more = plain.recv(1)
            if not more:
                return False
            text += more
        with wrap(plain) as s:
            return then(s)


def echoes(s):
    s.sendall(b"hello\n")
    return s.recv(100) == b"hello\n"


def posts(s):
    """A form, which the server does not want."""
    s.sendall(b"POST /a.txt?x=%41%zz&y HTTP/1.1\r\nHost: app.test\r\n"
              b"Content-Type: application/x-www-form-urlencoded\r\n"
              b"Content-Length: 9\r\n\r\na=b%20c&\xff")
    text = b""
    while True:
        more = s.recv(65536)
        if not more:
            return b" 405 " in text
        text += more


def fetches(s):
    s.sendall(b"GET /a.txt HTTP/1.1\r\nHost: app.test\r\n"
              b"Connection: close\r\n\r\n")
    text = b""
    while not text.endswith(b"hello\n"):
        more = s.recv(65536)
        if not more:
            return False
        text += more
    return True


def serving(run, args, client, hurt=True):
    """A server from its start to its end. Whether it serves is told by its
    clients, whether it leaks by its descriptors."""
    (run.work / "port").unlink(missing_ok=True)  # of one that was killed
    with open(run.dir / "out", "wb") as out, \
            open(run.dir / "err", "wb") as err:
        process = subprocess.Popen([run.beds.tool, *args], cwd=run.work,
                                   env=run.env(hurt), stdout=out, stderr=err,
                                   stdin=subprocess.DEVNULL)
    try:
        port = port_of(process, run.work / "port")
        if port is not None:
            served = attend(port, client)
            if not any(served):
                end_by_itself(process)
            # one that is killed may not quite be gone yet
            if not (hurt and run.what.startswith("kill")):
                judge_served(run, process, served)
            process.terminate()
        try:
            run.rc = process.wait(WAIT)
        except subprocess.TimeoutExpired:
            run.found.append("does not end")
    finally:
        process.kill()
        process.wait()
    run.out = (run.dir / "out").read_bytes()
    run.err = (run.dir / "err").read_bytes()


def end_by_itself(process):
    """Who has served nobody may be about to end."""
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        pass


def attend(port, client):
    served = []
    for _ in range(CLIENTS):
        try:
            served.append(client(port))
        except (OSError, KeyError, ValueError):
            served.append(False)
    return served


def judge_served(run, process, served):
    # what OpenSSL could not make once, it does not try to make again
    if process.poll() is None and served.count(False) > 1 and \
            not run.what.startswith(("ossl", "below")):
        run.found.append(f"served: {served}")
    if "fired" not in run.marks() and not all(served):
        run.found.append(f"served: {served}, and nothing had failed")


def player(client):
    """Of client(run, port)."""
    def one(run, args, hurt=True):
        serving(run, args, lambda port: client(run, port), hurt)
    return one


serve = player(lambda run, port: echo_client(port))
plain = player(lambda run, port: plain_client(port))
smtp = player(lambda run, port: smtp_client(port))
hello = player(lambda run, port: b" 204 " in exchange(
    port, b"GET / HTTP/1.0\r\n\r\n"))
files = player(lambda run, port: http_client(port, b"/a.txt"))
crl = player(lambda run, port: http_client(port, b"/crl", bare, b""))
# RFC 6960, 4.2.1: successful (0), and then a response
ocsp = player(lambda run, port: b"\x0a\x01\x00\xa0" in in_two_parts(
    port, b"POST /ocsp HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/ocsp-request\r\nContent-Length: %d\r\n"
    % len(run.beds.ocsp), run.beds.ocsp))
ocsp_by_get = player(lambda run, port: b"\x0a\x01\x00\xa0" in exchange(
    port, b"GET /ocsp/%s HTTP/1.0\r\n\r\n" % base64.b64encode(
        run.beds.ocsp).replace(b"/", b"%2F"), bare))


def look_for_account(run, account):
    """A server that has told of an account has kept it, whole."""
    path = run.work / "data/tlsock/ca/acme-accounts.json"
    rows = json.loads(path.read_text())["accounts"]
    if [set(r) for r in rows if r["id"] == account] != [
            {"id", "status", "created", "jwk", "contact", "serials"}]:
        run.found.append(f"the account {account} is not kept: {rows}")


def at_terminal(run, args):
    """A run at a terminal of its own, at which every question, ": ", gets the
    same answer. What it prints is its stderr."""
    ours, its = os.openpty()
    try:
        process = subprocess.Popen(
            [run.beds.tool, *args], cwd=run.work, env=run.env(True), stdin=its,
            stdout=its, stderr=its, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(its)
        run.err = converse(run, ours)
        try:
            run.rc = process.wait(WAIT)
        except subprocess.TimeoutExpired:
            run.found.append("does not end")
        process.kill()
        process.wait()
    finally:
        os.close(ours)


def converse(run, terminal):
    """All that comes, up to the end."""
    text = b""
    while select.select([terminal], [], [], WAIT)[0]:
        try:
            more = os.read(terminal, 4096)
        except OSError:  # nobody has it open any more
            return text.replace(b"\r\n", b"\n")
        text += more
        if text.endswith(b": "):
            os.write(terminal, b"sesame\n")
    run.found.append("says nothing, and does not end")
    return text


def whatever_comes(port):
    """A client of one that misbehaves: it is served if it was let in."""
    with dial(port) as plain:
        try:
            with tls(plain) as s:
                s.recv(100)
        except (ssl.SSLError, ConnectionError):
            pass
    return True


def acme(run, args, hurt=True):
    """What the server lacks is no fault of a client's, who would give up."""
    turn = itertools.count()

    def client(port):
        try:
            return run.beds.order(port, next(turn), lambda account:
                                  look_for_account(run, account))
        except OSError as e:
            if e.args and isinstance(e.args[0], bytes) and \
                    e.args[0].startswith(b"HTTP/1.1 4") and \
                    run.what.startswith(("alloc", "way")):
                run.found.append("no memory, and the client is told: "
                                 + e.args[0][-300:].decode(errors="replace"))
            raise
    serving(run, args, client, hurt)


def after_days(run, args, hurt=True):
    """Before the first client come 70 days, and while each one is accepted a
    look at what is due: the last one has to meet the new certificate."""
    turn = itertools.count(1)

    def client(port):
        n = next(turn)
        own = certificate(run.work / "data/tlsock/ca/acme.pem")
        first.append(own)
        clock(run, 70 * 86400, 100 * n)
        with dial(port) as plain, tls(plain) as s:
            s.sendall(b"GET /acme/directory HTTP/1.0\r\n"
                      b"Host: localhost:%d\r\n\r\n" % port)
            shown, text = s.getpeercert(True), b""
            while more := s.recv(65536):
                text += more
        if n == CLIENTS and (shown != own or own == first[0]) and \
                not run.what.startswith(("ossl", "below", "kill")):
            run.found.append("the certificate is not that of acme.pem")
        return b"newOrder" in text
    first = []
    clock(run, 0, 0)
    serving(run, args, client, hurt)


def certificate(path):
    """The first one, in DER."""
    pem, end, _ = path.read_text().partition("-----END CERTIFICATE-----")
    return ssl.PEM_cert_to_DER_cert(pem + end)


def clock(run, wall, other):
    """See ../cli/clock.h; written in place, since it is mapped."""
    path = run.dir / "clock"
    with open(path, "r+b" if path.exists() else "wb") as f:
        f.write(struct.pack("qq", wall, other))


misbehaves = player(lambda run, port: whatever_comes(port))
connects = player(lambda run, port: connects_only(port))

def echoes_much(port):
    """More than there is room for on the way."""
    left = data = bytes(range(256)) * 2048
    got = b""
    with dial(port) as plain, tls(plain) as s:
        s.setblocking(False)
        while len(got) < len(data):
            before = len(left), len(got)
            try:
                left = left[s.send(left[:16384]):] if left else left
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            try:
                more = s.recv(65536)
                if not more:
                    return False
                got += more
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            if before == (len(left), len(got)) and not any(
                    select.select([s], [s] if left else [], [], WAIT)):
                return False
    return got == data


much = player(lambda run, port: echoes_much(port))
intercept = player(lambda run, port: through_proxy(
    port, run.beds.ports["echo"], echoes))
intercept_web = player(lambda run, port: all(through_proxy(
    port, run.beds.ports["web"], what) for what in (posts, fetches)))
intercept_plain = player(lambda run, port: through_proxy(
    port, run.beds.ports["plain"], echoes, bare))
