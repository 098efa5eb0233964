#!/usr/bin/env python3
"""hoard PORT PID LOG - connections until the server of this pid has no more
descriptors, as its LOG tells. It has to take rests then: so many complaints
at most as fit into the time between them, and nearly no time of a processor.
All are given back at the end."""
import os
import selectors
import socket
import sys
import time

PAUSE = 0.02  # seconds, less than any rest, also of two loops
COMPLAINTS = 5
CONNECTIONS = 120  # of a server that may have 40 descriptors

port, pid, log = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def complaints():
    with open(log, errors="replace") as f:
        return f.read().count("Too many open files")


def used():
    """Seconds of processors that it has taken so far."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def until(condition):
    """Looks again and again; nobody is told of a file that grows."""
    idle, end = selectors.DefaultSelector(), time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"it does not come to that: {complaints()} complaints")
        idle.select(0.005)


# some may be given up for others, and there are still some who wait
held = [socket.create_connection(("127.0.0.1", port), 20)
        for _ in range(CONNECTIONS)]
until(lambda: complaints() > 0)
began, before, cpu = time.monotonic(), complaints(), used()
until(lambda: complaints() >= before + COMPLAINTS)
seconds, more = time.monotonic() - began, complaints() - before
print(f"{more} complaints in {seconds:.2f} s, {used() - cpu:.2f} s of CPU, "
      f"with {len(held)} connections")
if more > seconds / PAUSE + 2:
    sys.exit("it does not take a rest")
for s in held:
    s.close()
