# What every script here shares: TAP, a directory of its own, servers that are
# waited for by what they say and killed by their pid, a throw-away PKI.
# Needs TLSOCK, the binary. No sleeps, no fixed ports.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tlsock=${TLSOCK:?set TLSOCK to the binary}
dir=$(mktemp -d) || exit 1
pids=
count=0
failed=0
export NO_COLOR=1 LC_ALL=C XDG_DATA_HOME="$dir/data" HOME="$dir"

clean_up() {
    for p in $pids; do
        kill "$p" 2>/dev/null
    done
    wait
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# XML, which results become, knows no control characters; echo knows too many.
say_result() {
    printf '%s\n' "$1" | tr '\001-\011\013-\037\177' '?'
}

ok() { # RESULT NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        say_result "ok $count - $2"
    else
        say_result "not ok $count - $2"
        failed=$((failed + 1))
        for f in "$dir/out" "$dir/err" "$dir/log"; do
            [ -s "$f" ] && sed "s|^|# ${f##*/}: |" "$f" | head -20 | cat -v
        done
    fi
}

skip() { # NAME WHY
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

finish() {
    echo "1..$count"
    [ "$failed" -eq 0 ]
    exit
}

# The tool with stdin empty unless given: out, err, rc.
run() {
    timeout 60 "$tlsock" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    rc=$?
}

# Refused as the table says: NAME EXIT SLUG CAUSE-REGEX FIX-REGEX
refused() {
    [ "$rc" -eq "$2" ] && grep -Eq ": ($3)\$" "$dir/err" &&
        grep -Eq "^  cause: .*($4)" "$dir/err" &&
        grep -Eq "^  fix:   .*($5)" "$dir/err"
    ok $? "$1"
}

# Start COMMAND..., wait until a line matches REGEX; $1 of it goes to port.
# fd 3 is closed in what is started, so that the test ends when it should.
start() { # REGEX COMMAND...
    regex=$1
    shift
    : >"$dir/log"
    rm -f "$dir/said" "$dir/found"
    mkfifo "$dir/said" "$dir/found"
    "$@" >"$dir/said" 2>&1 </dev/null &
    server=$!
    pids="$pids $server"
    perl "$here/watch.pl" "$regex" "$dir/log" "$dir/found" <"$dir/said" &
    watcher=$! # the log is whole when it has ended
    port=$(timeout 30 cat "$dir/found")
    [ -n "$port" ]
}

# tlsock serve on a free port, which it writes itself when ready.
serve() {
    rm -f "$dir/port"
    mkfifo "$dir/port"
    "$tlsock" serve 127.0.0.1:0 --port-file "$dir/port" "$@" \
        >"$dir/serve.out" 2>"$dir/log" </dev/null &
    server=$!
    pids="$pids $server"
    port=$(timeout 30 cat "$dir/port")
    [ -n "$port" ]
}

stop() {
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server_rc=$?
}

# An interceptor at $proxy: what it says in OUT, its complaints in ERR, which may
# be the same file.
interceptor() { # OUT ERR OPTION...
    icept_out=$1 icept_err=$2
    shift 2
    rm -f iport
    mkfifo iport
    : >"$icept_out" >"$icept_err"
    "$tlsock" intercept --listen 127.0.0.1:0 --port-file iport --threads 2 \
        "$@" >>"$icept_out" 2>>"$icept_err" </dev/null &
    middle=$!
    pids="$pids $middle"
    proxy=$(timeout 30 cat iport)
    [ -n "$proxy" ]
}
end() {
    kill "$middle" 2>/dev/null
    wait "$middle" 2>/dev/null
    middle_rc=$?
}

# A port that can be bound, and that the system gives to no one who binds port
# 0 or connects: only a neighbour that draws the same number can take it. No
# number is drawn twice by one test.
free_port() {
    perl -MIO::Socket::INET -e '
        my ($list, %drawn) = shift;
        if (open my $old, "<", $list) { chomp, $drawn{$_} = 1 while <$old> }
        my $kept = open my $new, ">>", $list;
        for (1 .. 100) {
            my $port = 10000 + int(rand(20000));
            next if $drawn{$port};
            my $s = IO::Socket::INET->new(Listen => 1, Proto => "tcp",
                LocalAddr => "127.0.0.1:$port") or next;
            print $new "$port\n" if $kept;
            print $port;
            last;
        }' "$dir/ports.drawn"
}

# The zoo of certificates that the tool makes, see pki/README.txt: good.pem is
# app.test (*.wild.test, localhost, 127.0.0.1) below inter.pem and root.pem.
make_pki() {
    "$tlsock" testpki "$dir/pki" >"$dir/pki.log" 2>&1 </dev/null
}

# Pages that the tool writes: nothing is loaded from anywhere.
page_stands_alone() {
    ! grep -Eqi '<(script|img|link|iframe|object|embed|base|form)|url\(|@import|src=|href=| on[a-z]+=' \
        "$1" && ! sed 's|xmlns="http://www.w3.org/2000/svg"||g' "$1" |
        grep -Eq '="(https?:)?//' && grep -q "default-src 'none'" "$1"
}
page_is_xml() {
    sed 's/<!DOCTYPE html>//' "$1" |
        python3 -c 'import sys, xml.dom.minidom as m
m.parseString(sys.stdin.buffer.read())' 2>"$dir/log"
}
