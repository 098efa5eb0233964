"""play - runs of commands that serve: three clients, one after the other, of
whom a single failure may cost one at most; then the end is asked for."""
import socket
import ssl
import subprocess
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


def tls(sock):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(sock, server_hostname="app.test")


def echo_client(port):
    with socket.create_connection(("127.0.0.1", port), WAIT) as plain, \
            tls(plain) as s:
        s.sendall(b"hello\n")
        return s.recv(100) == b"hello\n"


def http_client(port, path, wrap=tls, what=b"hello"):
    with socket.create_connection(("127.0.0.1", port), WAIT) as plain:
        s = wrap(plain)
        s.sendall(b"GET " + path + b" HTTP/1.0\r\n\r\n")
        text = b""
        while True:
            more = s.recv(65536)
            if not more:
                return b" 200 " in text[:20] and what in text
            text += more


def proxy_client(port, target):
    with socket.create_connection(("127.0.0.1", port), WAIT) as plain:
        plain.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % target)
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            more = plain.recv(1)
            if not more:
                return False
            text += more
        with tls(plain) as s:
            s.sendall(b"hello\n")
            return s.recv(100) == b"hello\n"


def descriptors(pid):
    import os
    return len(os.listdir(f"/proc/{pid}/fd"))


def serving(run, args, client, hurt=True):
    """A server from its start to its end. Whether it serves is told by its
    clients, whether it leaks by its descriptors."""
    with open(run.dir / "out", "wb") as out, \
            open(run.dir / "err", "wb") as err:
        process = subprocess.Popen([run.beds.tool, *args], cwd=run.work,
                                   env=run.env(hurt), stdout=out, stderr=err,
                                   stdin=subprocess.DEVNULL)
    try:
        port = port_of(process, run.work / "port")
        if port is not None:
            attend(run, process, port, client)
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


def attend(run, process, port, client):
    served = []
    for _ in range(CLIENTS):
        try:
            served.append(client(port))
        except OSError:
            served.append(False)
    # what OpenSSL could not make once, it does not try to make again
    if process.poll() is None and served.count(False) > 1 and \
            not run.what.startswith("ossl"):
        run.found.append(f"served: {served}")
    if "fired" not in run.marks() and not all(served):
        run.found.append(f"served: {served}, and nothing had failed")


def serve(run, args, hurt=True):
    serving(run, args, echo_client, hurt)


def files(run, args, hurt=True):
    serving(run, args, lambda port: http_client(port, b"/a.txt"), hurt)


def ca(run, args, hurt=True):
    serving(run, args, lambda port: http_client(
        port, b"/crl", lambda s: s, b""), hurt)


def intercept(run, args, hurt=True):
    serving(run, args, lambda port: proxy_client(
        port, run.beds.ports["echo"]), hurt)
