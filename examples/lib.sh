# lib.sh - what the tests of the examples share: sourced with BUILD as $1. A
# directory of its own is the current one; what was started is ended.
set -u
bin=$(cd "$1" && pwd)
dir=$(mktemp -d) || exit 1
pids=
n=0
failed=0

clean_up() {
    for p in $pids; do
        kill "$p" 2>/dev/null
    done
    wait
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

ok() { # RESULT CLAIM
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
        return
    fi
    echo "not ok $n - $2"
    sed 's/^/# /' out err
    failed=1
}

started() { # COMMAND...: sets $port to its first line
    rm -f pipe
    mkfifo pipe
    "$@" >pipe 2>log &
    pid=$!
    pids="$pids $pid"
    port=
    read -r port <pipe
}

finish() {
    echo "1..$n"
    exit $failed
}

cd "$dir" || exit 1
unset SSL_CERT_FILE SSL_CERT_DIR
