"""rows - the commands that torture.py runs, and what they find there: a CA,
certificates, a server that nothing happens to."""
import json
import os
import pathlib
import re
import ssl
import subprocess

import acme
import play

CA_FILES = (r"data/tlsock/ca/"
            r"(lock|index|crl\.(pem|der)|certs|certs/[0-9a-f]+\.pem)")
NONE = r"(?!)"
MODES = ("alloc", "ossl", "call", "kill")


FEW_OSSL = {"ossl": 200}  # there are up to a million
FEW = {"alloc": 60, "ossl": 30, "call": 100, "kill": 40}
SOME = {"alloc": 300, "ossl": 200, "call": 300, "kill": 100}


class Row:
    """name, arguments, and what its run may do:

    makes     names of files that it may make or change
    keeps     those of them that may have changed although it failed
    replaces  old ones may be new ones although it failed
    takes     names of files that it may remove
    optional  those that a good run may go without
    grows     those that need not be whole, or not after a kill
    rc        exit code when nothing fails; codes: others that are in order
    same      the output has to be the same whenever that is the exit code
    says      how its output tells of a failure, if not by a cause
    slow      is left out of the sample: it takes long, or is much like others
    again     what is run after a kill, and which codes that may have
    play      what happens instead of a run to its end
    most      {mode: so many places, spread evenly, if all are asked for}
    named     {function: so many of its first calls}, each time in all ways
    """

    def __init__(self, name, *args, makes=NONE, keeps=NONE, takes=NONE,
                 optional=NONE, grows=NONE, replaces=False, rc=0, codes=(),
                 same=False, stdin=b"", again=None, again_codes=(0,),
                 play=None, most=FEW_OSSL, modes=MODES, says=None,
                 slow=False, named=()):
        self.name, self.args = name, args or tuple(name.split())
        self.makes, self.keeps, self.takes = makes, keeps, takes
        self.optional, self.grows, self.replaces = optional, grows, replaces
        self.rc, self.codes, self.same, self.stdin = rc, set(codes), same, stdin
        self.again = again.split() if again else None
        self.again_codes, self.play = set(again_codes), play
        self.most, self.modes, self.says = most, modes, says
        self.slow, self.named = slow, dict(named)


QUIET = ("alloc", "ossl", "call")  # they write no file
TO = ("--ca", "data/tlsock/ca/ca.pem", "--name", "app.test",
      "127.0.0.1:{echo}")
LISTEN = ("127.0.0.1:0", "--port-file", "port")
# what joins a program to a connection
PROGRAM = {"pipe2": 3, "epoll_ctl": 14}
# what an event loop is made of, and that of its first clients; and who says
# where it listens
LOOP = {"epoll_create1": 1, "epoll_ctl": 7, "signalfd": 1, "getsockname": 3}
SERVE = ("serve", *LISTEN, "--cert", "app.test.pem", "--key", "app.test.key")
INTERCEPT = ("intercept", "--listen", *LISTEN, "--ca", "data/tlsock/ca/ca.pem")
MINTED = r"\.cache(/.*)?|data/tlsock/intercept(/.*)?"
ACME_FILES = CA_FILES + r"|data/tlsock/ca/acme(\.pem|\.lock|-accounts\.json)"
# for intercept --exec: frames as they come, but for those that only inform
PASS = """binmode STDIN; binmode STDOUT; $| = 1;
while (read(STDIN, my $h, 5) == 5) {
    my ($k, $n) = unpack("aN", $h); my $d = "";
    read(STDIN, $d, $n) if $n;
    print $h, $d if $k ne "i";
}
"""

ROWS = [
    Row("version", modes=QUIET),
    Row("completion bash", same=True, modes=("alloc",)),
    Row("cert show app.test.pem", same=True, modes=QUIET),
    Row("cert show, other kinds", "cert", "show", "req.test.csr",
        "data/tlsock/ca/crl.pem", "app.test.key", "-v", same=True, modes=QUIET),
    Row("cert show --pem", "cert", "show", "--pem", "both.pem", same=True,
        modes=QUIET, slow=True),
    Row("cert show pem:", "cert", "show", "pem:{pem}", same=True,
        modes=("alloc", "ossl"), slow=True),
    Row("cert show from stdin", "cert", "show", "-", stdin="app.der", same=True,
        modes=QUIET, named={"memfd_create": 1, "write": 1}),
    Row("cert verify --untrusted", "cert", "verify", "app.test.pem",
        "--untrusted", "self.test.pem", "--ca", "+data/tlsock/ca/ca.pem",
        "--crl", "data/tlsock/ca/crl.pem", "--name", "app.test", same=True,
        modes=QUIET, slow=True),
    Row("cert verify app.test.pem", "cert", "verify", "app.test.pem", "--ca",
        "data/tlsock/ca/ca.pem", "--name", "app.test", same=True, modes=QUIET),
    Row("cert match app.test.pem app.test.key", same=True, modes=QUIET,
        says=b"not read: cannot read"),
    Row("cert diff app.test.pem self.test.pem", rc=1, same=True, modes=QUIET),
    Row("cert diff --json", "cert", "diff", "--json", "app.test.pem",
        "self.test.pem", rc=1, same=True, modes=QUIET, slow=True),
    Row("cert lint self.test.pem", modes=QUIET),
    Row("cert lint --json self.test.pem", modes=QUIET, slow=True),
    Row("cert match req.test.csr req.test.key", same=True, modes=QUIET,
        says=b"not read: cannot read", slow=True),
    Row("cert fix --in-place", "cert", "fix", "--in-place", "--with",
        "data/tlsock/ca", "twice.pem", makes=r"twice\.pem", replaces=True,
        codes=(1,), says=b"(?m)^MISSING "),
    Row("cert fix app.test.pem", "cert", "fix", "app.test.pem", "--out",
        "fixed.pem", makes=r"fixed\.pem", rc=1,
        again="cert fix app.test.pem --force --out fixed.pem",
        again_codes=(1,)),
    Row("cert new", "cert", "new", "two.test", makes=r"two\.test\.(pem|key)|" +
        CA_FILES, keeps=CA_FILES, again="cert new --force two.test"),
    Row("cert new --force", "cert", "new", "--force", "app.test",
        makes=r"app\.test\.(pem|key)|" + CA_FILES, keeps=CA_FILES,
        replaces=True),
    Row("cert new at a terminal", "cert", "new", "--self-signed", "--key-pass",
        "prompt", "--out", "it", "it.test", makes=r"it\.(pem|key)",
        play=play.at_terminal, modes=("alloc", "call"), slow=True,
        named={"tcgetattr": 2, "tcsetattr": 4, "ppoll": 2}),
    Row("cert new --self-signed", "cert", "new", "--self-signed", "--p12",
        "--new-pass", "file:pw", "--out", "three", "three.test",
        makes=r"three\.(pem|key|p12)",
        again="cert new --self-signed --force --p12 --new-pass file:pw"
              " --out three three.test"),
    Row("cert csr", "cert", "csr", "more.test", makes=r"more\.test\.(csr|key)",
        again="cert csr --force more.test"),
    Row("cert sign", "cert", "sign", "req.test.csr", "--out", "signed.pem",
        makes=r"signed\.pem|" + CA_FILES, keeps=CA_FILES,
        again="cert sign req.test.csr --force --out signed.pem"),
    Row("cert renew", "cert", "renew", "--if-due", "100%", "app.test.pem",
        makes=r"app\.test\.pem|" + CA_FILES, keeps=CA_FILES, replaces=True),
    Row("cert renew --new-key", "cert", "renew", "--new-key", "app.test.pem",
        makes=r"app\.test\.(pem|key|key\.old|pem\.renew)|" + CA_FILES,
        keeps=r"app\.test\.pem\.renew|" + CA_FILES, replaces=True),
    Row("cert renew both.pem", "cert", "renew", "both.pem",
        makes=r"both\.pem|" + CA_FILES, keeps=CA_FILES, replaces=True),
    Row("cert clone", "cert", "clone", "--ca", "data/tlsock/ca", "--out",
        "copy", "app.test.pem", makes=r"copy\.(pem|key)|" + CA_FILES,
        keeps=CA_FILES, again="cert clone --force --ca data/tlsock/ca --out"
                              " copy app.test.pem"),
    Row("cert convert to DER", "cert", "convert", "app.test.pem", "--to", "der",
        "--out", "out.der", makes=r"out\.der", again="cert convert app.test.pem"
        " --to der --force --out out.der"),
    Row("cert convert a request", "cert", "convert", "req.test.csr", "--to",
        "der", "--out", "out.der", makes=r"out\.der", slow=True,
        again="cert convert req.test.csr --to der --force --out out.der"),
    Row("cert convert to PKCS#12", "cert", "convert", "app.test.pem",
        "app.test.key", "--to", "p12", "--new-pass", "file:pw", "--out",
        "out.p12", makes=r"out\.p12",
        again="cert convert app.test.pem app.test.key --to p12 --new-pass"
              " file:pw --force --out out.p12"),
    Row("cert convert to stdout", "cert", "convert", "app.test.pem", "--to",
        "pem", "--out", "-", same=True, modes=QUIET),
    Row("ca init", "ca", "init", "--dir", "newca", makes=r"newca(/.*)?",
        keeps=r"newca(/(ca\.key|lock))?", again_codes=(0, 6)),
    Row("ca init --issuer", "ca", "init", "--dir", "newca", "--name", "below",
        "--issuer", "high", makes=r"(newca|high)(/.*)?",
        keeps=r"newca(/(ca\.key|lock))?|high/.*", again_codes=(0, 6),
        slow=True),
    Row("ca list", same=True, modes=QUIET),
    Row("ca revoke app.test", makes=CA_FILES, keeps=CA_FILES, replaces=True),
    Row("ca crl", makes=CA_FILES, keeps=CA_FILES, replaces=True,
        named={"flock": 1, "poptGetContext": 1}),
    Row("trust list", "trust", "list", "--system", "--root", "root", modes=QUIET),
    Row("trust list --nss", "trust", "list", "--nss", modes=QUIET,
        named={"pipe2": 4, "posix_spawn": 2,
               "posix_spawn_file_actions_init": 1, "posix_spawnattr_init": 1}),
    Row("trust install", "trust", "install", "--system", "--root", "root",
        makes=r"root/.*", keeps=r"root/.*", grows=r"root/.*"),
    Row("fingerprint app.test.pem", modes=QUIET),
    Row("fingerprint of a server", "fingerprint", *TO, modes=QUIET),
    Row("connect", "connect", *TO, "--session", "session", "--keylog", "keys",
        "--pcap", "run.pcapng", stdin=b"hello\n", same=True,
        makes=r"session|keys|run\.pcapng", keeps=r"session|keys|run\.pcapng",
        grows=r"keys|run\.pcapng", optional="session", codes=(2,),
        again="connect --pcap other.pcapng --ca data/tlsock/ca/ca.pem"
              " --name app.test 127.0.0.1:{echo}"),
    Row("connect with options", "connect", "--ca", "+data/tlsock/ca/ca.pem",
        "--crl", "data/tlsock/ca/crl.pem", "--tls", "1.2-1.3", "--ciphers",
        "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256", "--accept",
        "expired", "-o", "session=off", "--cert", "app.test.pem", "--key",
        "app.test.key", "--ip", "127.0.0.1", "--trace", "-v",
        "app.test:{echo}", stdin=b"hello\n", modes=QUIET, codes=(2,)),
    Row("connect --insecure --json", "connect", "--insecure", "--json",
        "127.0.0.1:{echo}", modes=QUIET, codes=(2,), slow=True),
    Row("connect --downgrade-after", "connect", "--downgrade-after", "200 CCC",
        *TO, stdin=b"200 CCC\n", modes=QUIET, codes=(2,), slow=True,
        named={"send": 6}),
    Row("connect by a proxy that is not there", "connect", "--proxy",
        "https://127.0.0.1:1", "--pcap", "run.pcapng", *TO, rc=3, codes=(2,),
        makes=r"run\.pcapng", keeps=r"run\.pcapng", grows=r"run\.pcapng",
        modes=QUIET, slow=True),
    Row("check --json", "check", "--json", "--ip", "127.0.0.1", "--write-chain",
        "chain.pem", "--ca", "data/tlsock/ca/ca.pem", "app.test:{echo}",
        makes=r"chain\.pem", keeps=r"chain\.pem", codes=(1,),
        says=rb'"level":"error"', most=SOME, modes=QUIET, slow=True),
    Row("check --starttls", "check", "--starttls", "smtp", "--ip", "127.0.0.1",
        "--ca", "data/tlsock/ca/ca.pem", "app.test:{mail}", codes=(1,),
        says=rb"(?m)^ERROR ", modes=QUIET, most=FEW, slow=True),
    Row("check of a name alone", "check", "--ip", "255.255.255.255", "app.test",
        rc=3, modes=QUIET, slow=True),
    Row("check", "check", *TO, "--html", "page.html", makes=r"page\.html",
        keeps=r"page\.html", codes=(1,), says=rb"(?m)^ERROR ", most=SOME,
        again="check --force --html page.html --ca data/tlsock/ca/ca.pem"
              " --name app.test 127.0.0.1:{echo}"),
    Row("testpki", "testpki", "zoo", makes=r"zoo(/.*)?", keeps=r"zoo(/.*)?",
        grows=r"zoo/.*", again_codes=(0, 6),
        most=SOME, slow=True),
    Row("serve", *SERVE, play=play.serve, makes="port", keeps="port",
        named=LOOP),
    Row("serve, a certificate of its own", "serve", *LISTEN, "--client-auth",
        "ask", "--allow", "any", slow=True, play=play.serve,
        makes="port|" + CA_FILES, keeps="port|" + CA_FILES),
    Row("serve --files", *SERVE, "--files", "site", play=play.files,
        makes="port", keeps="port"),
    Row("serve --exec", *SERVE, "--exec", "--", "cat",
        slow=True, play=play.serve,
        makes="port", keeps="port", named=PROGRAM),
    Row("serve --exec, much", *SERVE, "--exec", "--", "cat",
        slow=True, play=play.much, makes="port", keeps="port",
        modes=("alloc", "call"), most=FEW),
    Row("serve --reply", *SERVE, "--reply", "site/a.txt",
        slow=True, play=play.serve,
        makes="port", keeps="port"),
    Row("serve --plain-too", *SERVE, "--plain-too", slow=True, play=play.plain,
        makes="port", keeps="port"),
    Row("serve --starttls", *SERVE, "--starttls", "smtp",
        slow=True, play=play.smtp,
        makes="port", keeps="port"),
    Row("serve --pcap", *SERVE, "--pcap", "run.pcapng", "--keylog", "keys",
        play=play.serve, makes=r"port|run\.pcapng|keys",
        keeps=r"port|run\.pcapng|keys", grows=r"port|run\.pcapng|keys",
        codes=(2,),
        again=" ".join(SERVE) + " --pcap other.pcapng --keylog keys"),
    Row("serve --misbehave", "serve", *LISTEN, "--misbehave", "silent",
        "--pki", "{zoo}",
        slow=True, play=play.connects, makes="port", keeps="port",
        named={"signalfd": 1, "getsockname": 2, "accept4": 2}),
    Row("serve --misbehave, sealed again", "serve", *LISTEN, "--misbehave",
        "bad-finished", "--pki", "{zoo}", slow=True, play=play.misbehaves,
        makes="port", keeps="port"),
    Row("fingerprint --listen", "fingerprint", "--listen", *LISTEN, "--answer",
        "certificate", play=play.hello, makes="port|" + CA_FILES,
        keeps="port|" + CA_FILES, named={"getsockname": 3, "getnameinfo": 3}),
    Row("ca serve", "ca", "serve", *LISTEN, play=play.crl,
        makes="port|" + CA_FILES, keeps="port|" + CA_FILES, replaces=True,
        named=dict(LOOP, send=1)),
    Row("ca serve OCSP", "ca", "serve", *LISTEN, slow=True, play=play.ocsp,
        makes="port|" + CA_FILES, keeps="port|" + CA_FILES, replaces=True),
    Row("ca serve OCSP by GET", "ca", "serve", *LISTEN, slow=True,
        play=play.ocsp_by_get, makes="port|" + CA_FILES,
        keeps="port|" + CA_FILES, replaces=True),
    Row("ca serve --acme", "ca", "serve", *LISTEN, "--acme", "--resolve",
        "order.test=127.0.0.1", "--validate-port", "{www}",
        "--validate-tls-port", "{alpn}", play=play.acme,
        makes="port|" + ACME_FILES, keeps="port|" + ACME_FILES, replaces=True,
        most=FEW, slow=True),
    Row("ca serve --acme, after 70 days", "ca", "serve", *LISTEN, "--acme",
        "--validate-port", "{www}", play=play.after_days,
        makes="port|" + ACME_FILES, keeps="port|" + ACME_FILES, replaces=True,
        modes=("alloc", "call"), most=FEW, slow=True),
    Row("intercept", *INTERCEPT, "--log", "log", "--pcap", "run.pcapng",
        "--threads", "1", play=play.intercept,
        makes=r"port|log|run\.pcapng|" + MINTED,
        keeps=r"port|log|run\.pcapng|" + MINTED, grows=r"port|log|run\.pcapng",
        optional=MINTED, again=" ".join(INTERCEPT) +
        " --log log --pcap other.pcapng --threads 1",
        named=dict(LOOP, recv=6, send=3)),
    Row("intercept --har", *INTERCEPT, "--har", "run.har", "--html",
        "run.html", "--bodies", "bodies", "--threads", "2",
        slow=True, play=play.intercept_web,
        makes=r"port|run\.(har|html)|bodies(/.*)?|" + MINTED,
        keeps=r"port|run\.(har|html)|bodies(/.*)?|" + MINTED,
        grows=r"port|bodies/.*", optional=r"bodies/.*|" + MINTED,
        again=" ".join(INTERCEPT) + " --force --har run.har --html run.html"
        " --bodies bodies --threads 2", most=SOME),
    Row("intercept --exec", *INTERCEPT, "--threads", "1", "--exec", "--",
        "perl", "pass.pl",
        slow=True, play=play.intercept, makes="port|" + MINTED,
        keeps="port|" + MINTED, optional=MINTED, most=SOME, named=PROGRAM),
    Row("intercept, plaintext", *INTERCEPT, "--threads", "1", slow=True,
        play=play.intercept_plain, makes="port|" + MINTED,
        keeps="port|" + MINTED, optional=MINTED, modes=("alloc", "call"),
        most=FEW),
]


# of a database that has two of the tool's and one of somebody else
CERTUTIL = """#!/bin/sh
case $* in
*-n*) cat data/tlsock/ca/ca.pem self.test.pem ;;
*-L*) tag=$(openssl x509 -in data/tlsock/ca/ca.pem -noout -fingerprint -sha256 |
    sed 's/.*=//; s/://g' | tr A-F a-f | cut -c1-16)
    echo "tlsock local CA $tag  C,,"; echo "other  ,,"; echo "third  C,,"
    printf '%20000s\\n' ;;
esac
"""


class Beds:
    """What all runs share: a directory to copy, and servers."""

    def __init__(self, base, tool, shim, todo):
        self.base, self.tool, self.shim = pathlib.Path(base), tool, shim
        self.fresh = self.base / "fresh"
        keep = ("PATH", "LD_LIBRARY_PATH", "UBSAN_OPTIONS", "TMPDIR")
        self.env = {k: v for k, v in os.environ.items() if k in keep}
        self.env["PATH"] = f"{self.fresh}/bin:{self.env['PATH']}"
        self.env.update(NO_COLOR="1", LC_ALL="C", ASAN_OPTIONS=os.environ.get(
            "ASAN_OPTIONS", "") + ":verify_asan_link_order=0:detect_leaks=1:"
            "allocator_may_return_null=1:exitcode=99")
        self.ports, self.servers = {}, []
        self.wanted = {a for row in todo for a in row.args}
        self.acme = self.ocsp = None
        self.seen = set()  # ways to an allocation

    def setup(self, *args):
        subprocess.run([self.tool, *args], cwd=self.fresh, check=True,
                       capture_output=True, env=dict(
                           self.env, HOME=str(self.fresh),
                           XDG_DATA_HOME=str(self.fresh / "data")))

    def __enter__(self):
        fresh = self.fresh
        (fresh / "site").mkdir(parents=True)
        (fresh / "site" / "a.txt").write_text("hello\n")
        (fresh / "pw").write_text("secret\n")
        (fresh / "pass.pl").write_text(PASS)
        (fresh / "bin").mkdir()
        (fresh / "bin" / "certutil").write_text(CERTUTIL)
        os.chmod(fresh / "bin" / "certutil", 0o755)
        (fresh / ".pki" / "nssdb").mkdir(parents=True)
        (fresh / ".pki" / "nssdb" / "cert9.db").write_text("")
        (fresh / "root" / "etc").mkdir(parents=True)
        (fresh / "root" / "etc" / "ca-certificates.conf").write_text("")
        for d in ("usr/local/share/ca-certificates", "etc/ssl/certs"):
            (fresh / "root" / d).mkdir(parents=True)
        self.setup("ca", "init")
        self.setup("ca", "init", "--dir", "high", "--name", "high",
                   "--pathlen", "1")
        self.setup("cert", "new", "app.test", "127.0.0.1")
        self.setup("cert", "new", "--self-signed", "self.test")
        self.setup("cert", "csr", "req.test")
        self.setup("ca", "crl")
        (fresh / "both.pem").write_bytes(
            (fresh / "app.test.pem").read_bytes() +
            (fresh / "app.test.key").read_bytes())
        os.chmod(fresh / "both.pem", 0o600)
        (fresh / "both.pem").read_bytes()
        request = self.base / "request"
        subprocess.run(
            ["openssl", "ocsp", "-issuer", "data/tlsock/ca/ca.pem", "-cert",
             "app.test.pem", "-reqout", request], cwd=fresh, check=True,
            capture_output=True)
        self.ocsp = request.read_bytes()
        (fresh / "twice.pem").write_bytes(
            (fresh / "app.test.pem").read_bytes() * 2 +
            (fresh / "app.test.key").read_bytes())
        os.chmod(fresh / "twice.pem", 0o600)
        pem = (fresh / "app.test.pem").read_text()
        (fresh / "app.der").write_bytes(ssl.PEM_cert_to_DER_cert(pem))
        self.ports["pem"] = pem
        if "{zoo}" in self.wanted:
            self.ports["zoo"] = self.base / "zoo"
            self.setup("testpki", str(self.ports["zoo"]))
        if "{www}" in self.wanted:
            self.acme = acme.World(self.base)
            self.ports["www"] = self.acme.port
            self.ports["alpn"] = self.acme.tls_port
        if "{www}" in self.wanted:
            self.accounts()
        self.serve("echo")
        self.serve("plain", "--plain-too")
        self.serve("web", "--files", "site")
        self.serve("mail", "--starttls", "smtp")
        return self

    def accounts(self):
        """One of long ago, without a key that any client has."""
        jwk = {"kty": "RSA", "n": acme.number((1 << 2047) + 1), "e": "AQAB"}
        (self.fresh / "data/tlsock/ca/acme-accounts.json").write_text(
            json.dumps({"schema": "tlsock.acme-accounts/1", "accounts": [{
                "id": acme.b64(bytes(16)), "status": "valid", "jwk": jwk,
                "created": 1600000000, "contact": [], "serials": []}]}))

    def order(self, port, turn, on_account):
        """The kinds of keys take turns; tls-alpn-01 fails once, which is as
        good as each time."""
        return acme.order(self.acme, port, on_account,
                          self.acme.ec_key if turn % 2 else self.acme.key,
                          alpn=turn == 0)

    def serve(self, name, *args):
        port = self.base / ("port-" + name)
        self.servers.append(subprocess.Popen(
            [self.tool, "serve", "127.0.0.1:0", "--port-file", str(port),
             "--cert", "app.test.pem", "--key", "app.test.key", *args],
            cwd=self.fresh, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=dict(self.env, HOME=str(self.fresh))))
        self.ports[name] = play.port_of(self.servers[-1], port)

    def __exit__(self, *_):
        for server in self.servers:
            server.terminate()
            server.wait()
        if self.acme is not None:
            self.acme.close()
