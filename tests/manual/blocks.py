#!/usr/bin/env python3
"""blocks.py PAGE.3... - the C examples of these pages as one file of static
functions, PAGE_N_NAME each: what no test calls is an unused function, which
does not compile."""
import os
import re
import sys

NAME = re.compile(r'^(?:[a-z].*[ *])?([a-z_]+)\(', re.M)


def blocks(page):
    examples = block = False
    text = []
    for line in open(page, encoding='utf-8'):
        if line.startswith('.Sh '):
            examples = line.split()[1] == 'EXAMPLES'
        elif examples and line.startswith('.Bd -literal'):
            block, text = True, []
        elif block and line.startswith('.Ed'):
            block = False
            yield ''.join(text).replace('\\&', '').replace('\\e', '\\')
        elif block:
            text.append(line)


def definitions(text):
    """Where a function's definition begins at the margin, and its name."""
    for found in NAME.finditer(text):
        head = text[found.start():]
        brace, end = head.find('\n{'), head.find(';')
        if brace >= 0 and (end < 0 or brace < end):
            yield found


def as_static(text):
    out, at = [], 0
    for found in definitions(text):
        start = found.start()
        if text[:start].endswith(('int\n', 'static int\n')):
            start = text.rfind('\n', 0, start - 1) + 1
        out.append(text[at:start])
        if not text.startswith('static', start):
            out.append('static ')
        at = start
    return ''.join(out) + text[at:]


print('/* made of doc/man by blocks.py; what examples print is not the test\'s */')
print('#include <stdio.h>')
print('#undef stdout')
print('#define stdout world_out')
print('#define printf(...) fprintf(world_out, __VA_ARGS__)')
print('#define puts(text) fprintf(world_out, "%s\\n", text)')
for path in sys.argv[1:]:
    page = re.sub(r'^tlsock_?', '', os.path.basename(path)[:-2]) or 'program'
    for number, text in enumerate(blocks(path), 1):
        names = [f.group(1) for f in definitions(text)]
        for name in names:
            print(f'#define {name} {page}_{number}_{name}')
        print(as_static(text))
        for name in names:
            print(f'#undef {name}')
print('#undef stdout')
print('#undef printf')
print('#undef puts')
