#!/bin/sh
# Every example of the manual's section 1, as it is printed: in a network of its
# own, where example.com and the others are this machine, and with this machine's
# trust stores copied, so that "trust install" installs for this test alone. An
# example that is not here, or here and not in the manual, is a failure.
if [ -z "${TLSOCK_MANUAL:-}" ]; then
    if ! unshare --net --mount true 2>/dev/null; then
        echo "1..0 # SKIP no networks of one's own here"
        exit 0
    fi
    TLSOCK_MANUAL=$(mktemp -d) || exit 1
    export TLSOCK_MANUAL
    [ -e /etc/app ] || made=/etc/app # an example has its certificates there
    mkdir -p /etc/app
    unshare --net --mount sh "$0" "$@"
    rc=$?
    [ -z "${made:-}" ] || rmdir "$made"
    rm -rf "$TLSOCK_MANUAL"
    exit $rc
fi
. "$(dirname "$0")/lib.sh"
need ip curl openssl perl
man=$beds/../../doc/man

# ---- the manual, a line for each example: PAGE, a tab, COMMAND
examples() {
    for page in "$man"/*.1; do
        awk -v page="$(basename "$page" .1)" '
            /^\.Sh / { inside = $2 == "EXAMPLES" }
            /^\.Ed/ { block = 0 }
            inside && /^\.Dl / { line = substr($0, 5) }
            inside && block { line = $0 }
            inside && /^\.Bd/ { block = 1 }
            line != "" {
                gsub(/\\ /, " ", line); gsub(/\\\(dq/, "\"", line)
                gsub(/\\-/, "-", line); gsub(/\\e/, "\\", line)
                if (joined != "")
                    sub(/^ +/, "", line)
                joined = joined line
                if (joined !~ /\\$/) {
                    print page "\t" joined
                    joined = ""
                } else
                    sub(/\\$/, "", joined)
                line = ""
            }' "$page"
    done
}
examples >"$dir/manual"
: >"$dir/tried"

try() { # PAGE COMMAND: it is in the manual
    printf '%s\t%s\n' "$1" "$2" >>"$dir/tried"
    grep -qxF -- "$1	$2" "$dir/manual" && return
    echo "not in $1(1): $2" >"$dir/err"
    : >"$dir/out"
    ok 1 "$1: $2"
    return 1
}
# The command ends with this code; stdin is empty.
example() { # PAGE CODE COMMAND
    try "$1" "$3" || return
    timeout 60 bash -c "$3" >"$dir/out" 2>"$dir/err" </dev/null 3>&-
    rc=$?
    [ "$rc" -eq "$2" ]
    ok $? "$1: $3"
}
typed() { # PAGE ANSWERS COMMAND: asks for something at a terminal
    try "$1" "$3" || return
    timeout 60 perl "$here/type.pl" "$3" $2 >"$dir/out" 2>"$dir/err"
    rc=$?
    [ "$rc" -eq 0 ]
    ok $? "$1: $3"
}
# The command serves until "down"; it is ready when its port answers.
up() { # PAGE PORT COMMAND
    try "$1" "$3" || return
    background bash -c "exec ${3% &}"
    answers "$2" "$server"
    ok $? "$1: $3"
}
down() {
    kill "$server"
    wait "$server" 2>/dev/null
}
elsewhere() { # PAGE COMMAND SCRIPT: needs more than this; who runs it
    try "$1" "$2" || return
    [ -f "$beds/../../$3" ]
    ok $? "$1: $2 (in $3)"
}

# ---- the world
ip link set lo up && ip addr add 192.0.2.10/32 dev lo || give_up "no network"
cat >hosts <<END
127.0.0.1 localhost app.test box mail.example.com
127.0.0.1 example.com www.example.com mx.example.com shop.example.com
::1 localhost
END
mount --bind hosts /etc/hosts || give_up "no hosts of one's own"
for d in /etc/ssl /usr/local/share/ca-certificates; do
    mkdir -p "$dir/copy$d" && cp -a "$d/." "$dir/copy$d" &&
        mount --bind "$dir/copy$d" "$d" || give_up "no $d of one's own"
done
export HOME="$dir/home" LC_ALL=C.UTF-8
unset XDG_DATA_HOME SSL_CERT_FILE SSL_CERT_DIR HTTPS_PROXY
mkdir -p "$HOME" bin work
ln -s "$tlsock" bin/tlsock
printf '#!/bin/sh\nexec "$@"\n' >bin/sudo
printf '#!/bin/sh\necho "$@" >>%s/reloaded\n' "$dir" >bin/systemctl
chmod +x bin/*
PATH=$dir/bin:$PATH
export PATH PW=secret OLD=secret NEW=other
cd work || exit 1

# example.com and the others, of a CA that everybody here knows
tlsock ca init --any-name --name World --dir "$dir/world" >"$dir/log" 2>&1 &&
    tlsock cert new --ca "$dir/world" --out "$dir/site" example.com \
        mx.example.com shop.example.com mail.example.com \
        >>"$dir/log" 2>&1 || give_up "no world: $(tail -1 "$dir/log")"
tlsock cert new --ca "$dir/world" --out "$dir/www" www.example.com \
    >>"$dir/log" 2>&1 || give_up "no www: $(tail -1 "$dir/log")"
tlsock trust install --system "$dir/world/ca.pem" >>"$dir/log" 2>&1 ||
    give_up "nobody knows it: $(tail -1 "$dir/log")"
printf 'HTTP/1.0 200 OK\r\n\r\nthe page\n' >"$dir/page"
site() { # PORT [OPTION...]
    at=$1
    shift
    background tlsock serve "*:$at" --cert "$dir/site.pem" \
        --key "$dir/site.key" "$@"
    answers "$at" "$server" || give_up "no server at $at: $(tail -1 "$dir/log")"
}
site 443 --reply "$dir/page" --cert "$dir/www.pem" --key "$dir/www.key"
site 25 --starttls smtp
world=$pids

. "$beds/manual_examples.sh"

# ---- whatever was not tried
sort -u "$dir/tried" >"$dir/tried.sorted"
sort -u "$dir/manual" | comm -23 - "$dir/tried.sorted" >"$dir/out"
: >"$dir/err"
[ ! -s "$dir/out" ] && [ -s "$dir/manual" ]
ok $? "no example is left"
finish
