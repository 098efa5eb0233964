"""judge - what has to hold after a run, whatever failed in it.

The exit code is a documented one that fits, stderr tells the cause; files are
as they were or whole; nothing is left aside; the tool has no more descriptors
open than it has after a good run."""
import base64
import binascii
import re
import subprocess

# of a run in which something of this machine has failed
CODES = {0, 3, 4, 6, 7, 8}
NO_MEMORY = 70


def timeless(out):
    """What a day's change does not change."""
    return re.sub(rb"\d+ days left", b"N days left", out)


def snapshot(work):
    """{name: content}; a directory has None."""
    return {str(p.relative_to(work)): p.read_bytes() if p.is_file() else None
            for p in work.rglob("*") if p.is_file() or p.is_dir()}


def der_is_whole(der):
    if len(der) < 2 or der[0] != 0x30:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    n = der[1] & 0x7f
    return len(der) == 2 + n + int.from_bytes(der[2:2 + n], "big")


def pem_is_whole(text):
    blocks = re.findall(rb"-----BEGIN ([A-Z0-9 ]+)-----\n(.*?)"
                        rb"-----END \1-----\n", text, re.S)
    if not blocks or text.count(b"-----BEGIN") != len(blocks) or \
            not text.endswith(b"-----\n"):
        return False
    try:
        return all(der_is_whole(base64.b64decode(b.replace(b"\n", b""),
                                                 validate=True))
                   for _, b in blocks)
    except binascii.Error:
        return False


def index_is_whole(text):
    return text.endswith(b"\n") and b"\0" not in text


WHOLE = [(r"\.(pem|key|csr|renew)$", pem_is_whole),
         (r"\.(der|p12)$", der_is_whole),
         (r"/index$", index_is_whole),
         (r"\.html$", lambda text: text.rstrip().endswith(b"</html>")),
         (r"\.har$", lambda text: text.rstrip().endswith(b"}"))]


def is_whole(name, content):
    for pattern, check in WHOLE:
        if re.search(pattern, name):
            return check(content)
    return True


def public_of(work, name, kind):
    return subprocess.run(["openssl", *kind, "-in", name], cwd=work,
                          capture_output=True, timeout=60).stdout


def pairs_fit(run, after):
    for name in after:
        key = name[:-4] + ".key"
        if name.endswith(".pem") and key in after and \
                public_of(run.work, name, ("x509", "-noout", "-pubkey")) != \
                public_of(run.work, key, ("pkey", "-pubout", "-passin",
                                          "pass:sesame")):
            yield f"{key} is not the key of {name}"


def judge_files(run, good):
    """Old ones are as they were or whole and new; new ones are those that the
    command is to make, and there only if it says that it has made them."""
    row = run.row
    before = snapshot(run.beds.fresh)
    after = snapshot(run.work)
    changed = [n for n in after if n not in before or before[n] != after[n]]
    for name in before:
        if name not in after and not re.fullmatch(row.takes, name):
            run.found.append(f"{name} is gone")
    for name in changed:
        if name.encode() in run.err and run.rc == 0:
            continue  # it is said that it is there
        if not re.fullmatch(row.makes, name):
            run.found.append(f"{name} was left or changed")
        elif after[name] is not None and not is_whole(name, after[name]) and \
                not re.fullmatch(row.grows, name):
            run.found.append(f"{name} is not whole")
        elif after[name] is not None and run.rc not in (0, row.rc) and \
                not re.fullmatch(row.keeps, name) and \
                not (name in before and row.replaces) and \
                not re.search(rb"the results are not complete|"
                              rb"the certificate is good", run.err):
            run.found.append(f"exit {run.rc}, and {name} is new")
    if good is not None and run.rc == row.rc:
        expected = {re.sub(r"[0-9a-f]{20,}", "SERIAL", n)
                    for n in snapshot(good.work)}
        have = {re.sub(r"[0-9a-f]{20,}", "SERIAL", n) for n in after}
        for name in sorted(expected - have):
            if not re.fullmatch(row.optional, name):
                run.found.append(f"exit {run.rc}, without {name}")
    if changed and run.rc != 0:
        run.found += pairs_fit(run, [n for n in changed if "/" not in n] +
                               [n for n in after if "/" not in n])


def judge_killed(run):
    """A file is as it was or whole; what was put aside is nobody's trouble:
    the same command goes through then, and tidies up."""
    row = run.row
    before = snapshot(run.beds.fresh)
    after = snapshot(run.work)
    for name, content in after.items():
        if content is None or before.get(name) == content:
            continue
        if re.fullmatch(row.makes, name) and not re.fullmatch(
                row.grows, name) and content != b"" and \
                not is_whole(name, content):
            run.found.append(f"{name} is not whole")
    run.found += [f"{n} is gone" for n in before
                  if n not in after and not re.fullmatch(row.takes, n)]
    if row.play is not None:
        args = row.again if row.again is not None and any(
            content for name, content in after.items()
            if name not in before and re.fullmatch(row.makes, name) and
            name != "port") else row.args
        run.row.play(run, [a.format(**run.beds.ports) for a in args],
                     hurt=False)
        if run.rc != row.rc:
            run.found.append(f"afterwards: exit {run.rc}")
        return
    again = run.tool(*[a.format(**run.beds.ports) for a in row.args],
                     stdin=row.stdin)
    if again is not None and b"exists" in again.stderr and \
            any(re.fullmatch(row.makes, name) and
                (content or re.fullmatch(row.grows, name))
                for name, content in after.items() if name not in before):
        again = run.tool(*[a.format(**run.beds.ports) for a in row.again],
                         stdin=row.stdin)
    if again is not None and again.returncode not in row.again_codes:
        run.found.append(f"afterwards: exit {again.returncode}: "
                         + again.stderr.decode(errors="replace")[-600:])


def judge_words(run, good, fired):
    """Whoever fails says why."""
    row = run.row
    if run.rc in (0, row.rc):
        # OpenSSL tells "unknown" and "no memory for it" by the same words
        if good is not None and row.same and \
                timeless(run.out) != timeless(good.out) and \
                not run.what.startswith(("ossl", "below")):
            run.found.append(f"exit {run.rc}, with another output: "
                             + run.out[-300:].decode(errors="replace"))
        return
    said = run.err + run.out
    if run.what.startswith(("ossl", "below")) and run.rc == 1:
        return  # the same, of a finding
    if row.says and re.search(row.says, said):
        return
    if not re.search(rb"^  cause: .*[A-Za-z]{3}", said, re.M) and \
            not re.search(rb'"cause": *"[^"]{3}', said):
        run.found.append(f"exit {run.rc}, and nobody says why")
    if run.rc == NO_MEMORY and b"memory" not in said and \
            run.what.startswith(("call", "at:")):
        run.found.append("exit 70")


def judge(run, good, marks):
    row, fired = run.row, marks.get("fired")
    if run.rc is None:
        if not run.found:
            run.found.append("no exit code")
        return
    if run.what.startswith("kill") and fired:
        if run.rc != -9:
            run.found.append(f"exit {run.rc}, not killed")
        judge_killed(run)
        return
    if b"LeakSanitizer has encountered a fatal error" in run.err or \
            b"CHECK failed: sanitizer_linux_libcdep" in run.err:
        run.found.clear()
        return  # what a sanitizer needs to look at was what failed
    if b"AddressSanitizer" in run.err or b"runtime error" in run.err or \
            b"LeakSanitizer" in run.err:
        run.found.append("a sanitizer complains")
    if run.rc < 0:
        run.found.append(f"signal {-run.rc}")
    elif fired is None and run.rc != row.rc:
        run.found.append(f"exit {run.rc} without a failure")
    elif run.rc not in CODES | {row.rc, NO_MEMORY} | row.codes and \
            not (run.what.startswith(("ossl", "below")) and run.rc in (1, 2, 5)):
        run.found.append(f"exit {run.rc}")
    if run.rc < 0:
        return
    judge_words(run, good, fired)
    judge_files(run, good)
    # An event loop that is made by half keeps its descriptor; and whoever has
    # to wait for a peer, which is not so each time, keeps one for the next.
    if good is not None and "fds" in marks and \
            (row.play is None or run.what.startswith(("call", "at:"))) and \
            int(marks["fds"]) > int(good.marks().get("fds", 0)) + \
            (row.play is None and any("{" in a for a in row.args)):
        run.found.append(f"{marks['fds']} descriptors are open at the end")
