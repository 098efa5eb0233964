#!/bin/sh
# Faults of the machine: a full disk, a directory that cannot be written to,
# files of somebody else, too few descriptors, a clock that jumps. What fails
# says why by exit 6 and leaves files as they were; what serves goes on.
. "$(dirname "$0")/lib.sh"
# A small file system of its own needs a mount namespace; without it there is a
# limit on the size of files instead.
if [ -z "${MACHINE_NS:-}" ] && unshare -m true 2>/dev/null; then
    rm -rf "$dir"
    MACHINE_NS=1 exec unshare -m sh "$0"
fi
cd "$dir" || exit 1
"$tlsock" ca init >log 2>&1 &&
    "$tlsock" cert new app.test 127.0.0.1 >log 2>&1 &&
    "$tlsock" cert csr req.test >log 2>&1 || exit 1
ca=$dir/data/tlsock/ca
cat app.test.pem app.test.key >both.pem

unmount() {
    [ -z "${mounted:-}" ] || umount "$dir/full" "$dir/data" 2>/dev/null
}
trap 'unmount; clean_up' EXIT

# What each command makes, by this name, of which nothing may be left.
writers() {
    cat <<END
cert new|cert new --self-signed --out $1/w x.test
cert csr|cert csr --out $1/w x.test
cert sign|cert sign req.test.csr --out $1/w
cert clone|cert clone app.test.pem --ca $ca --out $1/w
cert convert to DER|cert convert app.test.pem --to der --out $1/w.der
cert convert to PEM|cert convert both.pem --to pem --out $1/w.pem
cert fix|cert fix app.test.pem --out $1/w.pem
ca init|ca init --dir $1/wca
END
}

# EXPECTED-CAUSE DIR WHAT
each_writer() {
    writers "$2" >rows
    while IFS='|' read -r name args; do
        find "$2" ! -path "$2/wca*" | sort >names
        # shellcheck disable=SC2086
        run $args
        refused "$3: $name" 6 '[a-z-]+' "$1" .
        find "$2" ! -path "$2/wca*" | sort | diff names - >log &&
            [ ! -e "$2/wca/ca.pem" ]
        ok $? "$3: $name leaves nothing"
    done <rows
}

# ---- a full disk
mkdir full
mounted=
if [ -n "${MACHINE_NS:-}" ] &&
    mount -t tmpfs -o size=64k,mode=755 none full 2>log; then
    mounted=1
    head -c 100000 /dev/zero >full/filler 2>log
    each_writer 'No space left on device' "$dir/full" "full disk"
    serve --cert app.test.pem --key app.test.key
    echo hello | timeout 60 "$tlsock" connect --ca "$ca/ca.pem" --name app.test \
        --pcap full/run.pcapng "127.0.0.1:$port" >out 2>err
    rc=$?
    [ "$rc" -eq 6 ] && grep -q 'No space left' err && grep -q 'run.pcapng' err
    ok $? "full disk: a recording that is not complete is said to be so"
    echo hello | timeout 60 "$tlsock" connect --ca "$ca/ca.pem" --name app.test \
        --session full/sessions "127.0.0.1:$port" >out 2>err
    rc=$?
    [ "$rc" -eq 0 ] && [ "$(cat out)" = hello ] &&
        [ -z "$(find full -name '*.tmp*')" ]
    ok $? "full disk: a session that cannot be kept is in nobody's way"
    run check --ca "$ca/ca.pem" --name app.test --html full/page.html \
        "127.0.0.1:$port"
    [ "$rc" -eq 6 ] && grep -q 'No space left' err && [ ! -s full/page.html ]
    ok $? "full disk: no half page"
    stop
    rm full/filler
    run cert new --self-signed --out full/x x.test
    [ "$rc" -eq 0 ] && openssl x509 -in full/x.pem -noout
    ok $? "room again: the same command works"
    # an old pair and an old CA, and then no room for another
    run ca init --dir full/ca
    run cert new --ca full/ca --out full/y y.test
    find full -type f ! -name filler ! -name lock -exec cksum {} + | sort >before
    head -c 100000 /dev/zero >full/filler 2>log
    for args in "cert renew --ca full/ca full/y.pem" \
        "cert renew --new-key --ca full/ca full/y.pem" \
        "cert new --force --self-signed --out full/x x.test" \
        "ca crl --dir full/ca" "ca revoke --dir full/ca y.test" \
        "cert new --ca full/ca --out full/z z.test"; do
        # shellcheck disable=SC2086
        run $args
        refused "full disk: ${args%% full*}" 6 '[a-z-]+' 'No space left' .
        find full -type f ! -name filler ! -name lock -exec cksum {} + | sort >after
        diff before after >log
        ok $? "and all is as it was"
    done
    rm full/filler
    run ca revoke --dir full/ca y.test
    ok "$rc" "room again: revoked"
else
    # a pipe has no size
    (ulimit -f 0 && trap '' XFSZ && {
        "$tlsock" cert new --self-signed --out full/x x.test 2>&1
        echo "exit $?"
    }) | cat >err
    rc=$(sed -n 's/^exit //p' err)
    refused "no room: cert new" 6 own-file 'File too large' .
    [ -z "$(find full -type f)" ]
    ok $? "no room: cert new leaves nothing"
fi

# ---- read-only
if [ -n "$mounted" ] && mount -o remount,ro full 2>log; then
    find full -type f -exec cksum {} + | sort >before
    each_writer 'Read-only file system' "$dir/full" "read-only"
    for args in "cert renew --ca full/ca full/y.pem" "ca crl --dir full/ca" \
        "cert renew full/x.pem" "cert new --ca full/ca z.test"; do
        # shellcheck disable=SC2086
        run $args
        refused "read-only: ${args%% full*}" 6 '[a-z-]+' 'Read-only' .
    done
    find full -type f -exec cksum {} + | sort >after
    cmp -s before after
    ok $? "read-only: all is as it was"
    run ca list --dir full/ca
    [ "$rc" -eq 0 ] && grep -q y.test out
    ok $? "read-only: what only reads works"
else
    skip "read-only" "no mount namespace here"
fi

# ---- no permission
if [ "$(id -u)" -eq 0 ] && command -v setpriv >log; then
    mkdir theirs
    chmod 755 "$dir" theirs data data/tlsock "$ca"
    real=$tlsock
    tlsock=$dir/as_nobody
    printf '#!/bin/sh\nexec setpriv --reuid=65534 --clear-groups "%s" "$@"\n' \
        "$real" >"$tlsock"
    chmod 755 "$tlsock"
    run version
    if [ "$rc" -eq 0 ]; then
        cp app.test.key readable.key
        chmod 644 readable.key
        cat app.test.pem readable.key >both.pem
        chmod 644 both.pem req.test.csr
        grep -v -e clone -e sign <<END >rows
$(writers "$dir/theirs")
END
        while IFS='|' read -r name args; do
            # shellcheck disable=SC2086
            run $args
            refused "no permission: $name" 6 '[a-z-]+' 'Permission denied' .
        done <rows
        run serve 127.0.0.1:0 --cert app.test.pem --key app.test.key
        refused "no permission: a server's key" 6 '[a-z-]+' \
            'app.test.key.*Permission denied' .
        run intercept --listen 127.0.0.1:0 --ca-cert "$ca/ca.pem" --ca-key \
            "$ca/ca.key"
        refused "no permission: an interceptor's key" 6 '[a-z-]+' \
            'ca.key.*Permission denied' .
        run ca serve 127.0.0.1:0 --dir "$ca"
        refused "no permission: a CA" 6 '[a-z-]+' 'Permission denied' .
        run serve 127.0.0.1:0 --cert both.pem --port-file theirs/port --once
        refused "no permission: the file of a port" 6 '[a-z-]+' \
            'Permission denied' .
        [ -z "$(find theirs -type f)" ]
        ok $? "no permission: nothing was left"
    else
        skip "no permission" "another user cannot run the tool"
    fi
    tlsock=$real
else
    skip "no permission" "only root can be another user"
fi

# ---- too few descriptors
serve --cert app.test.pem --key app.test.key
# From too few for anything to enough: NAME ARGUMENT...
descriptors() {
    name=$1
    shift
    n=2 rc=-1
    : >bad
    while [ "$rc" -ne 0 ] && [ "$n" -lt 100 ]; do
        n=$((n + 1))
        rm -f few.test.*
        echo hello | timeout 60 prlimit --nofile="$n" "$tlsock" "$@" >out 2>err
        rc=$?
        case $rc in
        0) ;;
        127) ;; # not even the libraries could be opened
        [346]) grep -q '^  cause: .*[A-Za-z]' err || echo "$n: no cause" >>bad ;;
        *) echo "$n descriptors: exit $rc: $(cat err)" >>bad ;;
        esac
        [ "$rc" -eq 0 ] || [ -z "$(ls few.test.* 2>/dev/null)" ] ||
            echo "$n: something was left" >>bad
    done
    cp bad log
    [ ! -s bad ] && [ "$rc" -eq 0 ] && [ "$n" -gt 3 ]
    ok $? "too few descriptors: $name"
}
leaks=$ASAN_OPTIONS
export ASAN_OPTIONS="$leaks:detect_leaks=0" # that needs some, too
descriptors "connect" connect --ca "$ca/ca.pem" --name app.test \
    "127.0.0.1:$port"
[ "$(cat out)" = hello ]
ok $? "and with enough of them all is well"
descriptors "fingerprint" fingerprint --ca "$ca/ca.pem" --name app.test \
    "127.0.0.1:$port"
descriptors "cert new" cert new few.test
descriptors "ca crl" ca crl
descriptors "cert verify" cert verify app.test.pem --ca "$ca/ca.pem"
stop
export ASAN_OPTIONS="$leaks"

# Exhausted by connections, and free again: NAME, the server runs at $port.
exhausted() { # NAME PID LOG CLIENT...
    name=$1 pid=$2 file=$3
    shift 3
    timeout 120 python3 "$here/hoard.py" "$port" "$pid" "$file" >out 2>err
    ok $? "no more descriptors: $name takes a rest"
    timeout 60 "$@" >out 2>err </dev/null
    ok $? "and serves when they are back"
}
real=$tlsock
printf '#!/bin/sh\nexec prlimit --nofile=40 "%s" "$@"\n' "$real" >few
chmod 755 few
for what in "" "--files $dir/data"; do
    tlsock=$dir/few
    # shellcheck disable=SC2086
    serve --cert app.test.pem --key app.test.key $what
    tlsock=$real
    exhausted "serve $what" "$server" log "$tlsock" connect --json \
        --ca "$ca/ca.pem" --name app.test "127.0.0.1:$port"
    stop
    [ "$server_rc" -eq 0 ]
    ok $? "and ends well"
done
rm -f port
mkfifo port
"$dir/few" ca serve 127.0.0.1:0 --port-file port >out 2>log </dev/null &
server=$!
pids="$pids $server"
port=$(timeout 30 cat port)
exhausted "ca serve" "$server" log perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", Timeout => 30,
        PeerPort => shift) or exit 1;
    print $s "GET /crl HTTP/1.0\r\n\r\n";
    exit(<$s> !~ / 200 /)' "$port"
stop
[ "$server_rc" -eq 0 ]
ok $? "and ends well"
serve --cert app.test.pem --key app.test.key
to=$port
tlsock=$dir/few
interceptor lines said --ca "$ca/ca.pem"
tlsock=$real
port=$proxy
exhausted "intercept" "$middle" said "$tlsock" connect --json --insecure \
    --name app.test --proxy "http://127.0.0.1:$proxy" "127.0.0.1:$to"
end
[ "$middle_rc" -eq 0 ]
ok $? "and ends well"
stop

# ---- a clock that jumps
shim=${TLSOCK_SHIM_LIB:?set TLSOCK_SHIM_LIB to shim.so}
export TLSOCK_CLOCK="$dir/wall"
day=86400 year=31557600
wall() { # SECONDS: the clock is wrong by so many from now on
    perl -e 'open F, -e $ARGV[0] ? "+<" : ">", $ARGV[0] or die;
        syswrite F, pack "q", $ARGV[1]' wall "$1"
}
wall 0
printf '#!/bin/sh\nexport ASAN_OPTIONS="%s:verify_asan_link_order=0"
export LD_PRELOAD="%s"\nexec "%s" "$@"\n' \
    "$ASAN_OPTIONS" "$shim" "$real" >wrong
chmod 755 wrong
tlsock=$dir/wrong
serve --cert app.test.pem --key app.test.key
tlsock=$real
right="--ca $ca/ca.pem --name app.test --json 127.0.0.1:$port"
resumes() { # yes|no WHAT
    # shellcheck disable=SC2086
    run connect $right --session jar
    [ "$rc" -eq 0 ] && perl -MJSON::PP -0ne '
        exit !(!!decode_json($_)->{resumed} == ($ARGV[0] eq "yes"))' \
        <out 2>log -- "$1"
    ok $? "a clock that jumps: $2"
}
resumes no "a session"
resumes yes "and resumed"
wall $((30 * day))
resumes no "30 days on, the server has other ticket keys"
resumes yes "and tickets under them are resumed"
wall $((-10 * year))
resumes no "ten years back: a server serves all the same"
resumes yes "and resumes"
wall 0
run connect $right --session jar
ok "$rc" "and the right time again"
for row in "$((year))|expired" "$((-year))|not-yet-valid"; do
    wall "${row%%|*}"
    tlsock=$dir/wrong
    # shellcheck disable=SC2086
    run connect $right
    [ "$rc" -eq 5 ] && grep -q "\"${row#*|}\"" out
    ok $? "a client by such a clock: ${row#*|}"
    tlsock=$real
done
stop
[ "$server_rc" -eq 0 ]
ok $? "a clock that jumps: a clean end"
tlsock=$dir/wrong
wall 0
run cert renew --check app.test.pem
ok "$rc" "a clock that is right: nothing is due"
wall $((80 * day))
run cert renew --check app.test.pem
[ "$rc" -eq 1 ]
ok $? "80 days on it is"
wall $((-year))
run ca crl
ok "$rc" "a year back: a CRL is made"
wall $((year))
run ca crl
ok "$rc" "a year on: another one"

# an ACME server, whose own certificate is due 70 days on
look() { # WALL: a minute later; $serial is of what it shows then
    wall "$1"
    looks=$((looks + 1))
    perl -e 'open F, "+<", "wall" or die; sysseek F, 8, 0;
        syswrite F, pack "q", 100 * $ARGV[0]' "$looks"
    for n in 1 2; do # the first one wakes it
        serial=$(openssl s_client -connect "127.0.0.1:$port" </dev/null \
            2>>log | openssl x509 -noout -serial)
    done
}
if "$real" version | grep -q '+acme'; then
    looks=0
    wall 0
    mkfifo aport
    "$dir/wrong" ca serve --acme 127.0.0.1:0 --port-file aport >serve.out \
        2>err </dev/null &
    server=$!
    pids="$pids $server"
    port=$(timeout 30 cat aport)
    look 0
    first=$serial
    look $((20 * day))
    [ -n "$first" ] && [ "$serial" = "$first" ]
    ok $? "20 days on an ACME server has the same certificate"
    mv "$ca/ca.key" kept.key
    ! grep -q 'ca.key' err
    ok $? "of which nothing is to be said"
    look $((70 * day))
    [ "$serial" = "$first" ] && grep -q '^  cause: .*ca.key' err
    ok $? "70 days on it says why it cannot have a new one, and goes on"
    mv kept.key "$ca/ca.key"
    look $((70 * day))
    second=$serial
    [ -n "$second" ] && [ "$second" != "$first" ]
    ok $? "and has one as soon as it can"
    look $((71 * day))
    [ "$serial" = "$second" ]
    ok $? "and keeps it"
    stop
    [ "$server_rc" -eq 0 ]
    ok $? "and ends well"
    wall 0
else
    skip "an ACME server's own certificate" "this build has no ACME"
fi

# to and fro while somebody waits
start 'port (\d+)' perl "$here/peer.pl" silent
for first in $((10 * year)) $((-10 * year)); do
    wall 0
    timeout 60 "$dir/wrong" connect --name app.test --timeout 700ms \
        "127.0.0.1:$port" >out 2>err </dev/null &
    client=$!
    wall "$first"
    wall $((-first))
    wait "$client"
    [ $? -eq 7 ] && grep -q ': timeout$' err
    ok $? "a deadline is kept while the clock jumps by $first s"
done
stop
finish
