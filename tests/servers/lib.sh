# What the scripts here share beyond tests/cli/lib.sh: real servers, configured
# and started below the test's own directory on loopback ports that are free,
# and the cases that are the same for every protocol. Needs root, since some
# servers insist on changing to their own user, and the packages that
# "tools/install-packages servers" brings: a server that is missing is a
# failure, so that no bed can drop out unseen.
. "$(dirname "$0")/../cli/lib.sh"
beds=$here
here=$(cd "$beds/../cli" && pwd) # watch.pl and the PKI are there
unpacked=${TLSOCK_SERVERS:-/usr/local/lib/tlsock-servers}
PATH=$PATH:/usr/sbin:/sbin:$unpacked/usr/sbin
export PATH
chmod 711 "$dir" # servers that left root come through, and see no names
cd "$dir" || exit 1

give_up() { # WHY
    echo "Bail out! $1"
    exit 1
}
[ "$(id -u)" -eq 0 ] || give_up "the servers are started by root"

need() { # PROGRAM...
    for n in "$@"; do
        command -v "$n" >/dev/null 2>&1 ||
            give_up "$n is not there: tools/install-packages servers"
    done
}

# root > inter > localhost (app.test, 127.0.0.1); root2 is trusted by nobody.
make_bed_pki() {
    make_pki || {
        cat pki.log
        give_up "no PKI"
    }
    ca=$dir/pki/root.pem other=$dir/pki/root2.pem
    chain=$dir/pki/good.pem key=$dir/pki/good.key
    cat "$chain" "$key" >pki/both.pem
    chmod 755 pki # servers that left root come through
    chmod 644 pki/*.pem
}

# Become USER for good; the process id stays.
as() { # USER COMMAND...
    who=$1
    shift
    exec setpriv --reuid "$who" --regid "$(id -g "$who")" --clear-groups "$@"
}

# Wait until the port takes a connection, or the process is gone.
answers() { # PORT PID
    timeout 30 perl -MIO::Socket::INET -e '
        my ($port, $pid) = @ARGV;
        while (kill 0, $pid) {
            exit 0 if IO::Socket::INET->new("127.0.0.1:$port");
            select(undef, undef, undef, 0.02);
        }
        exit 1' "$1" "$2"
}

# Start a server in the background: its output goes to the log.
background() { # COMMAND...
    "$@" >>"$dir/log" 2>&1 </dev/null 3>&- &
    server=$!
    pids="$pids $server"
}

# Make a server ready: FUNCTION configures and starts it (with background) at
# $port and, if it needs more of them, at ports it draws itself. Whoever finds
# a port taken meanwhile gets another one.
bed() { # FUNCTION
    for _ in 1 2 3 4 5; do
        : >"$dir/log"
        port=$(free_port)
        "$1" && answers "$port" "$server" && kill -0 "$server" && return 0
        stop
        grep -Eqi 'in use|could not bind|cannot bind' "$dir/log" || break
    done
    sed 's/^/# log: /' "$dir/log" | tail -20
    give_up "the server of $1 does not start"
}

# Like run, with stdin: a format of printf.
feed() { # INPUT ARGS...
    input=$1
    shift
    printf "$input" | timeout 30 "$tlsock" "$@" >"$dir/out" 2>"$dir/err"
    rc=$?
}

# Ask and answer in turns with a program: see talk.pl.
turns() { # [EXPECT SEND]... -- COMMAND...
    timeout 30 perl "$beds/talk.pl" "$dir/out" "$@" 2>"$dir/err" </dev/null
    rc=$?
}

# The independent client was content, and printed what it should ('': nothing).
bed_works() { # RESULT REGEX WHAT
    [ "$1" -eq 0 ] && { [ -z "$2" ] || grep -Eaq "$2" "$dir/out"; }
    ok $? "the bed works: $3"
}

# The tool ended well and printed what matches each of the regular expressions.
printed() { # NAME REGEX...
    said=$1
    shift
    good=$rc
    for r in "$@"; do
        LC_ALL=C grep -Eaq -e "$r" "$dir/out" || good=1
    done
    ok "$good" "$said"
}

# The tool's exit code and the slug on stderr.
failed_with() { # NAME EXIT SLUG-REGEX
    [ "$rc" -eq "$2" ] && grep -Eq ": ($3)\$" "$dir/err"
    ok $? "$1"
}

# Fetch a file twice, each time by a data connection that follows the control
# connection (resume_from); and once by one that does not, which the server
# refuses.
follows() { # WHO VERSION USER PASSWORD FILE REGEX
    timeout 30 "$FTPDATA" "$ca" "$port" "$3" "$4" "$5" "$2" follow 2 \
        >"$dir/out" 2>"$dir/err"
    rc=$?
    [ "$rc" -eq 0 ] && [ "$(grep -c "$6" "$dir/out")" -eq 2 ] &&
        [ "$(grep -cx resumed "$dir/out")" -eq 2 ]
    ok $? "$1: data connections that resume, TLS $2"
    timeout 30 "$FTPDATA" "$ca" "$port" "$3" "$4" "$5" "$2" alone 1 \
        >"$dir/out" 2>"$dir/err"
    [ "$?" -eq 1 ] && ! grep -q "$6" "$dir/out"
    ok $? "$1: and refused without, TLS $2"
}

# What is the same wherever TLS is: the peer's name and its issuer count.
verdicts() { # WHAT ARGS...
    who=$1
    shift
    run connect "$@" --ca "$ca" --name other.test
    failed_with "$who: the wrong name is refused" 5 name-mismatch
    run connect "$@" --ca "$other"
    failed_with "$who: an unknown CA is refused" 5 \
        'untrusted-root|chain-incomplete'
}

unavailable() { # WHAT ARGS...
    who=$1
    shift
    run connect --ca "$ca" "$@"
    failed_with "$who: no TLS offered is no TLS" 4 starttls-unavailable
    [ ! -s "$dir/out" ]
    ok $? "$who: and nothing of it on stdout"
}

# A session of each version ends as the protocol wants it, all of it printed.
goodbye() { # WHAT INPUT REGEX ARGS...
    who=$1 last_words=$2 answer=$3
    shift 3
    for v in 1.2 1.3; do
        feed "$last_words" connect --ca "$ca" --tls $v "$@"
        printed "$who: verified, and the whole goodbye, TLS $v" "$answer"
    done
}
