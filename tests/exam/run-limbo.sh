#!/bin/sh
# The path-validation exams: x509-limbo with BetterTLS, and NIST's PKITS with
# CRLs. Their questions are other projects' work and stay outside this
# repository; the bars below are what we have to reach.
#
# run-limbo.sh [LIBRARY]; CC, CFLAGS and PKG_CONFIG as usual.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
exam=${TLSOCK_EXAMS:-$root/../shared/exams}/limbo
lib=${1:-$root/build/src/libtlsock.so}

echo 1..7
if [ ! -r "$exam/limbo.json.gz" ]; then
    for i in 1 2 3 4 5 6 7; do
        echo "ok $i - paths # SKIP the exam's folder ../shared/exams is missing"
    done
    exit 0
fi
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
lib=$(cd "$(dirname "$lib")" && pwd)/$(basename "$lib")
# an exam of answers: leaks of its own harness are not asked about
# shellcheck disable=SC2046,SC2086
if ! ${CC:-cc} -D_GNU_SOURCE ${CFLAGS:-} -w -I"$exam" -I"$root/include" \
    -o "$tmp/limbo" "$exam/main.c" "$root/tests/exam/limbo_tlsock.c" \
    "$lib" -Wl,-rpath,"$(dirname "$lib")" \
    $(${PKG_CONFIG:-pkg-config} --libs jansson) >"$tmp/log" 2>&1; then
    sed 's/^/# /' "$tmp/log"
    echo "Bail out! the exam cannot be built"
    exit 1
fi
export ASAN_OPTIONS=detect_leaks=0
gzip -dc "$exam/limbo.json.gz" | "$tmp/limbo" >"$tmp/limbo.out" 2>"$tmp/log"
gzip -dc "$exam/pkits.json.gz" | "$tmp/limbo" >"$tmp/pkits.out" 2>>"$tmp/log"
sed 's/^/# /' "$tmp/log"
grep -h '^#' "$tmp/limbo.out" "$tmp/pkits.out"

verdicts() { # FILE VERDICT
    grep -c "^$2	" "$tmp/$1.out"
}
n=0
bad=0
# NAME FOUND -ge|-le BAR
bar() {
    n=$((n + 1))
    if [ "$2" "$3" "$4" ]; then
        echo "ok $n - $1: $2"
    else
        echo "not ok $n - $1: $2, but it has to be $3 $4"
        bad=1
    fi
}
bar "limbo: right answers" "$(verdicts limbo OK)" -ge 9750
bar "limbo: wrong accepts" "$(verdicts limbo WRONG-ACCEPT)" -le 26
bar "limbo: wrong rejects" "$(verdicts limbo WRONG-REJECT)" -le 8
bar "limbo: crashes, hangs, questions that cannot be asked" \
    "$(grep -cE '^(CRASH|HANG|SKIP)	' "$tmp/limbo.out")" -le 0
bar "limbo: BetterTLS's paths found" \
    "$(grep -c '^OK	bettertls::pathbuilding' "$tmp/limbo.out")" -ge 81
bar "PKITS: right answers" "$(verdicts pkits OK)" -ge 207
bar "PKITS: wrong accepts, crashes, hangs, unasked" \
    "$(grep -cE '^(WRONG-ACCEPT|CRASH|HANG|SKIP)	' "$tmp/pkits.out")" -le 0
exit $bad
