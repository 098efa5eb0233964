#!/usr/bin/env python3
"""places - the tests of the library again, with a failure at one place of it:
an allocation of the library, or a call of OpenSSL, the first time it is reached.

    places.py [--sample N] [--jobs N] [--only own|no] BUILD [PROGRAM...]

PROGRAM is a path, of some of the tests in BUILD that are meant; else all of unit
and flow. First each program runs as it is, and tells what places it reaches (lib/place.h).
Then each place fails once, in that program which was the fastest to reach it.
The test that is in that program fails then, most likely, and that is fine; what
must not be is that the library crashes, computes nonsense or hangs, up to where
the test says that it failed: what it had on its stack is gone then. Nor does it
count if the test itself hands on the NULL that it got. Prints TAP, a line for
each kind, after it what was found. --sample: so many of each kind, drawn, always
the same.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import zlib

SECONDS = 120  # a run that takes longer hangs
SUITES = {"unit", "flow"}
# where memory is asked for by others: not the place itself
HELPERS = re.compile(r"src/core/(mem|buf|str|text)\.c|src/cert/text\.c")
OURS = re.compile(r"\.\./(src|engine)/")
OF_THE_TREE = re.compile(r"\.\./(src|engine|tests)/(?!libsanitizer)")
SANITIZER = re.compile(rb"(runtime error: .*|ERROR: \w+Sanitizer: .*)")


def programs(build, only):
    tests = json.loads(subprocess.check_output(
        ["meson", "introspect", "--tests", build]))
    for test in tests:
        command = test["cmd"]
        if not SUITES & {s.split(":")[-1] for s in test["suite"]}:
            continue
        if not pathlib.Path(command[0]).name.startswith("test_"):
            continue
        if only and os.path.realpath(command[0]) not in only:
            continue
        yield test["name"], command, test["env"]


def run(command, env, **more):
    """How it ended, what it said, and how long it took."""
    whole = {**os.environ, **env, **more, "CMOCKA_MESSAGE_OUTPUT": "STDOUT"}
    # crashes are told with where they are; what a failed test leaves is its own
    whole["ASAN_OPTIONS"] = ("detect_leaks=0:exitcode=99:handle_segv=2:"
                             "allow_user_segv_handler=0:handle_sigbus=2")
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as here:
        try:
            done = subprocess.run(command, env=whole, cwd=here, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            code, said = done.returncode, done.stdout
        except subprocess.TimeoutExpired as e:
            code, said = None, e.stdout or b""
    return code, said, time.monotonic() - start


def watch(program):
    name, command, env = program
    with tempfile.NamedTemporaryFile(prefix="tlsock-places-") as list_:
        code, said, seconds = run(command, env, TLSOCK_PLACES=list_.name)
        lines = pathlib.Path(list_.name).read_text().splitlines()
    found = {}
    for line in set(lines):
        kind, key, offsets = line.split()
        found[kind, key] = [int(o, 16) for o in offsets.split(",")]
    lines_of = source_lines(command[0], {o for c in found.values() for o in c})
    return name, command, env, seconds, code, {
        at: [lines_of[o] for o in calls] for at, calls in found.items()}


def source_lines(path, offsets):
    """Of what is called there: the byte before where it comes back to."""
    offsets = sorted(offsets)
    if not offsets:
        return {}
    out = subprocess.run(["addr2line", "-e", path],
                         input="\n".join(f"{o - 1:x}" for o in offsets),
                         capture_output=True, text=True, check=True).stdout
    return dict(zip(offsets, (re.sub(r" \(discr.*", "", line)
                              for line in out.splitlines())))


def place_of(kind, calls):
    """The line of the library that asked, and the one that called it; None:
    it was a test that did."""
    while calls and HELPERS.search(calls[0]):
        calls = calls[1:]
    if not calls or not OURS.search(calls[0]):
        return None
    short = [re.sub(r".*\.\./(?=src|engine|tests)", "", c) for c in calls]
    return (kind, *short[:2])


def choose(watched):
    """For each place the fastest program that gets there."""
    best = {}
    for name, command, env, seconds, code, found in watched:
        if code != 0:
            print(f"# {name} is not good as it is: {code}", flush=True)
            continue
        for (kind, key), calls in found.items():
            place = place_of(kind, calls)
            if place and (place not in best or seconds < best[place][0]):
                best[place] = seconds, key, name, command, env
    return best


def frames(said):
    """Where the program was when it crashed, as far as it is of the tree."""
    where = []
    for line in said.decode(errors="replace").splitlines():
        found = re.match(r"\s*#(\d+) \S+ in (\S+) (.*)", line)
        if found and int(found[1]) == 0 and where:
            break  # of another stack
        if found and OF_THE_TREE.search(found[3]):
            where.append(re.sub(r".*\.\./", "", found[3]))
    return where


def judge(code, said):
    """None, or what is wrong."""
    good_until = said.find(b"[  ERROR   ]")
    if code is None:
        return None if good_until >= 0 else "hangs"
    wrong = SANITIZER.search(said, 0, good_until if good_until >= 0
                             else len(said))
    if not wrong:
        return None if code >= 0 else f"ends by signal {-code}"
    where = frames(said[wrong.start():])
    if any(w.startswith("tests/") for w in where[:2]):
        return None  # it went on with what it did not get
    return f"{wrong[1].decode(errors='replace')[:120]} in {where[:2]}"


def fail(place, chosen):
    _, key, name, command, env = chosen
    code, said, _ = run(command, env, TLSOCK_PLACE=key)
    what = judge(code, said)
    return what and f"{' < '.join(place[1:])} in {name}, {key}: {what}"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--sample", type=int, default=0)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--only", choices=["own", "no"])
    p.add_argument("build")
    p.add_argument("program", nargs="*")
    a = p.parse_args()
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        only = {os.path.realpath(p) for p in a.program}
        best = choose(pool.map(watch, programs(a.build, only)))
        kinds = collections.defaultdict(list)
        for place in sorted(best):
            kinds[place[0]].append(place)
        kinds = {k: v for k, v in kinds.items() if a.only in (None, k)}
        print(f"1..{len(kinds)}", flush=True)
        for i, (kind, places) in enumerate(sorted(kinds.items()), 1):
            if a.sample:
                places = sorted(places, key=lambda x: zlib.crc32(
                    repr(x).encode()))[:a.sample]
            found = [f for f in pool.map(lambda x: fail(x, best[x]), places)
                     if f]
            bad += bool(found)
            print(f"{'not ' if found else ''}ok {i} - {kind}: {len(places)} "
                  f"places", flush=True)
            for f in found:
                print(f"# {f}", flush=True)
    return bad != 0


sys.exit(main())
