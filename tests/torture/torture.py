#!/usr/bin/env python3
"""torture - each command of the tool with its n-th allocation or system call
failing, or killed there; n = 1, 2, ... until a run ends without.

    torture.py [--sample N] [--jobs N]
               [--modes alloc,ossl,call,kill,named,site] [ROW...]

TLSOCK is the tool, TORTURE_SHIM what is preloaded into it. Prints TAP, a line
for each row and mode, after it what was found. --sample: so many runs of each,
at places that are drawn, always the same. site: of the allocations those that
are come to by another way than those of the rows before; and once each place of
the tool that calls OpenSSL, or what calls it. What has to hold is in judge.py, the commands are in rows.py.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zlib

import judge
import rows

SECONDS = 60  # a run that takes longer hangs


class Run:
    """One run of a row: the directory it had, and how it ended."""

    def __init__(self, row, beds, what):
        self.row, self.beds, self.what = row, beds, what
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=beds.base))
        self.work = self.dir / "work"
        self.rc = None
        self.out = self.err = b""
        self.found = []

    def env(self, hurt=True):
        env = dict(self.beds.env, HOME=str(self.work),
                   XDG_DATA_HOME=str(self.work / "data"))
        if hurt:
            env.update(LD_PRELOAD=self.beds.shim, TORTURE=self.what,
                       TORTURE_MARK=str(self.dir / "mark"),
                       TLSOCK_CLOCK=str(self.dir / "clock"))
        if hurt and self.what.startswith(("ossl", "below")):
            # what OpenSSL itself loses without memory cannot be told apart
            # here; what the library does is looked at by tests/oom
            env["ASAN_OPTIONS"] += ":detect_leaks=0"
        return env

    def tool(self, *args, hurt=False, stdin=b""):
        """The tool, to its end."""
        try:
            done = subprocess.run(
                [self.beds.tool, *args], cwd=self.work, env=self.env(hurt),
                input=stdin, capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.found.append("hangs: " + " ".join(args))
            return None
        return done

    def go(self):
        shutil.copytree(self.beds.fresh, self.work, symlinks=True)
        args = [a.format(**self.beds.ports) for a in self.row.args]
        if self.row.play is not None:
            self.row.play(self, args)
            return self
        stdin = self.row.stdin
        if isinstance(stdin, str):
            stdin = (self.work / stdin).read_bytes()
        done = self.tool(*args, hurt=True, stdin=stdin)
        if done is not None:
            self.rc, self.out, self.err = (done.returncode, done.stdout,
                                           done.stderr)
        return self

    def marks(self):
        """What the shim has said: {word: rest of the line}."""
        try:
            lines = (self.dir / "mark").read_text().splitlines()
        except FileNotFoundError:
            lines = []
        return dict(line.split(" ", 1) for line in lines)

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def once(row, beds, good, what):
    """A run that is judged: what fired, in how many ways, what was found."""
    run = Run(row, beds, what).go()
    try:
        marks = run.marks()
        fired = marks.get("fired")
        judge.judge(run, good, marks)
        found = [f"{row.name}, {what} ({fired or 'nothing'}): {f}"
                 for f in run.found]
        if found and run.err:
            found.append(run.err.decode(errors="replace")[-2000:])
        return fired, found
    finally:
        run.remove()


def at_place(row, beds, good, mode, n, only_way):
    """The ways in which the n-th call fails: all, or one of them."""
    way = only_way or 0
    fired, found = once(row, beds, good, f"{mode}:{n}:{way}")
    runs = 1
    if fired and only_way is None and \
            (mode in ("call", "kill") or mode.startswith("at:")):
        for way in range(1, int(fired.split()[2])):
            found += once(row, beds, good, f"{mode}:{n}:{way}")[1]
            runs += 1
    return bool(fired), runs, found


def drawn(*what):
    """The same number for the same words, everywhere and always."""
    return zlib.crc32(" ".join(map(str, what)).encode())


def places(row, mode, total, sample):
    """(n, way) of each run; way None: all there are."""
    if sample and total > 12 * sample:
        return [(1 + drawn(row.name, mode, i) % total,
                 drawn(mode, i, row.name) % {"call": 3, "kill": 2}.get(mode, 1))
                for i in range(sample)]
    most = row.most.get(mode, 0)
    if most and most < total:
        return [(1 + i * (total - 1) // (most - 1), None) for i in range(most)]
    # the number is not the same each time: some beyond it
    return [(n, None) for n in range(1, total + (1 if sample else 20))]


def named(row, beds, good, pool):
    """The first calls of the functions that a row names, each in every way:
    the same ones wherever they are among the others. In a sample, too."""
    what = [(name, n) for name, most in row.named.items()
            for n in range(1, most + 1)]
    jobs = [pool.submit(at_place, row, beds, good, f"at:{name}", n, None)
            for name, n in what]
    runs = hit = 0
    found = []
    for (name, n), job in zip(what, jobs):
        fired, r, f = job.result()
        hit, runs, found = hit + fired, runs + r, found + f
        if n == 1 and not fired:
            found.append(f"{name} is never called")
    return hit, runs, found


def spread(places):
    """The first, the middle and the last one."""
    return {places[0], places[len(places) // 2], places[-1]}


def what_is_new(lines, seen):
    """(mode, where) of what no row before has come by, as shim.c tells it."""
    below = {}  # the tool's calls: those of OpenSSL
    for word, place, more in lines:
        if word == "way":
            if place not in seen:
                yield "way", place
            elif more not in seen:
                yield "way", more
            seen.update((place, more))
        elif word == "below":
            below.setdefault(more, []).append(place)
        elif ("no", place) not in seen:
            seen.add(("no", place))
            yield "no", place
    for calls, places in below.items():
        if ("below", calls) not in seen:
            seen.add(("below", calls))
            yield from (("below", place) for place in spread(places))


def sites(row, beds, good, pool):
    """Each way to an allocation, and each call of OpenSSL or of what calls it,
    that no row before has come by."""
    run = Run(row, beds, "sites").go()
    lines = [line.split() for line in
             (run.dir / "mark").read_text().splitlines()
             if line.startswith(("way ", "below ", "no "))]
    run.remove()
    jobs = [pool.submit(at_place, row, beds, good, mode, where, 0)
            for mode, where in what_is_new(lines, beds.seen)]
    done = [job.result() for job in jobs]
    return (sum(fired for fired, _, _ in done), sum(n for _, n, _ in done),
            [f for _, _, found in done for f in found])


def torture(row, beds, mode, good, sample, pool):
    if mode == "named":
        return named(row, beds, good, pool)
    if mode == "site":
        return sites(row, beds, good, pool)
    total = int(good.marks().get("call" if mode == "kill" else mode, 0))
    if total == 0:
        return 0, 0, ["nothing was counted"]
    jobs = [pool.submit(at_place, row, beds, good, mode, n, way)
            for n, way in places(row, mode, total, sample)]
    runs = hit = 0
    found = []
    for job in jobs:
        fired, n, what = job.result()
        hit, runs, found = hit + fired, runs + n, found + what
    if hit == 0 and not sample:
        found.append("nothing has ever failed")
    return hit, runs, found


class Report:
    """TAP."""

    def __init__(self):
        self.count = self.bad = self.hit = 0

    def say(self, what, found):
        self.count += 1
        self.bad += bool(found)
        print(f"{'not ' if found else ''}ok {self.count} - {what}", flush=True)
        for line in "\n".join(found).splitlines()[:400]:
            print("#", line.encode("ascii", "replace").decode(), flush=True)


def all_of(row, beds, opts, pool, report):
    good = Run(row, beds, "count").go()
    judge.judge(good, None, good.marks())
    if good.found:
        report.say(f"{row.name}: nothing fails",
                   good.found + [good.err.decode(errors="replace")])
    else:
        for mode in opts.modes.split(","):
            if row.named if mode == "named" else \
                    mode.replace("site", "alloc") in row.modes:
                hit, runs, found = torture(row, beds, mode, good, opts.sample,
                                           pool)
                report.hit += hit
                report.say(f"{row.name}: {mode} at {hit} places, {runs} runs",
                           found)
    good.remove()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--modes", default="alloc,ossl,call,kill,named")
    parser.add_argument("rows", nargs="*")
    opts = parser.parse_args()
    report = Report()
    todo = [row for row in rows.ROWS if (
        row.name in opts.rows if opts.rows else
        not (opts.sample and row.slow))]
    base = tempfile.mkdtemp()
    try:
        with rows.Beds(base, os.environ["TLSOCK"],
                       os.environ["TORTURE_SHIM"], todo) as beds, \
                concurrent.futures.ThreadPoolExecutor(opts.jobs) as pool:
            for row in todo:
                all_of(row, beds, opts, pool, report)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    report.say(f"something failed in {report.hit} runs",
               [] if report.hit else ["nothing has ever failed"])
    print(f"1..{report.count}")
    return 1 if report.bad else 0


if __name__ == "__main__":
    sys.exit(main())
