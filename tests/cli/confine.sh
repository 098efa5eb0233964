#!/bin/sh
# confine: what a command that serves gives up, and what of it goes on all the
# same. Each claim has a twin that shows the opposite.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
without=${WITHOUT:?set WITHOUT to the program}
mkdir data site outside
make_pki
cp pki/good.pem site.pem
cp pki/good.key site.key
cp pki/good.key outside/other.key
echo served >site/page

has() { # FEATURE of this build
    "$tlsock" version | grep -q -- "+$1"
}
is_root() { [ "$(id -u)" -eq 0 ]; }
of() { # LABEL of /proc/PID/status
    sed -n "s/^$1:[[:space:]]*//p" "/proc/$server/status" | tr -s '\t' ' ' |
        sed 's/ *$//'
}
# Of this script, which may be in a container that is confined itself.
own() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
filters=$(own Seccomp_filters)
no_new=$(own NoNewPrivs)
is_filtered() {
    [ "$(of Seccomp)" = 2 ] &&
        [ "$(of Seccomp_filters)" = $((${filters:-0} + 1)) ]
}
is_as_we_are() {
    [ "$(of Seccomp_filters)" = "$filters" ]
}
talk() { # LINE -> out
    echo "$1" | timeout 60 "$tlsock" connect --ca pki/root.pem --name app.test \
        "127.0.0.1:$port" >out 2>err
}
hangup() { # REGEX that it has to say
    : >log
    kill -HUP "$server"
    timeout 30 perl -e '
        open(my $f, "<", "log") or die; my $want = shift;
        while (1) { seek($f, 0, 1); my $all = join "", <$f>;
            seek($f, 0, 0); exit 0 if join("", <$f>) =~ /$want/m;
            select(undef, undef, undef, 0.02); }' "$1"
}
begin() { # OPTION...: serve, with what it says
    serve --cert site.pem --key site.key -v "$@"
}

# on by default
begin
landlock=no
grep -q '^confined .*Landlock' log && landlock=yes
[ "$(of NoNewPrivs)" = 1 ] && talk hello && [ "$(cat out)" = hello ]
ok $? "without being asked it is confined, and serves"
if has seccomp; then
    is_filtered && grep -q '^confined .*seccomp' log
    ok $? "system calls are filtered, for every thread"
    [ "$(cat /proc/"$server"/task/*/status | grep -c '^Seccomp:.2')" -eq \
        "$(ls "/proc/$server/task" | wc -l)" ]
    ok $? "of each of them"
else
    grep -q 'not system calls: this build is without libseccomp' log
    ok $? "what this build cannot do is told"
fi
grep -q '^Max core file size  *0 ' "/proc/$server/limits"
ok $? "no core is written"
if ! is_root || grep -aqE '__[at]san_init' "$tlsock"; then
    skip "its memory is locked" "only root locks it, and no sanitizer does"
else
    [ "$(of VmLck | tr -cd 0-9)" -gt 1000 ] && grep -q '^confined .*memory' log
    ok $? "its memory is locked"
fi
hangup '^reloaded'
ok $? "its files are read again"
mv site.key site.was && ln -s outside/other.key site.key
hangup '^reloaded'
ok $? "a link to another file within its directory is followed"
away=$(mktemp -d)
cp pki/good.key "$away/far.key"
ln -sf "$away/far.key" site.key
if [ "$landlock" = yes ]; then
    hangup 'cannot read "site.key": Permission denied'
    ok $? "a link out of it is not, whoever it is that runs it"
    talk still && [ "$(cat out)" = still ]
    ok $? "and what was read before is served"
else
    skip "a link out of it" "this kernel has no Landlock"
fi
stop
[ "$server_rc" -eq 0 ]
ok $? "it ends as it should"

begin --confine off
grep -q '^confined no: --confine off' log && [ "$(of NoNewPrivs)" = "$no_new" ] &&
    is_as_we_are && [ "$(of VmLck)" = '0 kB' ]
ok $? "--confine off: it is not, and says so"
hangup '^reloaded'
ok $? "the same link is followed then"
stop
rm -f site.key
mv site.was site.key
rm -rf "$away"

# what a kernel has not is done without, or not at all
for lacks in landlock seccomp; do
    case $lacks in
    landlock) what=files text='not files: this kernel has no Landlock' ;;
    *) what='system calls' text='not system calls: ' ;;
    esac
    [ "$lacks" = seccomp ] && ! has seccomp && continue
    rm -f port
    mkfifo port
    "$without" "$lacks" "$tlsock" serve 127.0.0.1:0 --cert site.pem \
        --key site.key --port-file port -v >serve.out 2>log </dev/null &
    server=$!
    pids="$pids $server"
    port=$(timeout 30 cat port)
    grep -q "^confined .*$text" log && talk hello && [ "$(cat out)" = hello ]
    ok $? "a kernel without $lacks: served all the same, and -v says so"
    stop
    timeout 60 "$without" "$lacks" "$tlsock" serve 127.0.0.1:0 --cert site.pem \
        --key site.key --confine hard >out 2>err </dev/null
    rc=$?
    refused "the same with --confine hard" 6 confine \
        "$what cannot be confined" '--confine soft'
done
if [ "$landlock" = yes ] && has seccomp; then
    begin --confine hard
    talk hello && [ "$(cat out)" = hello ]
    ok $? "--confine hard, where all of it is there"
    stop
fi

# clients
begin
mkfifo typed
exec 4<>typed
"$tlsock" connect --ca pki/root.pem --name app.test "127.0.0.1:$port" \
    <typed >said 2>err &
client=$!
pids="$pids $client"
echo first >&4
timeout 30 perl -e 'until (-s "said") { select(undef, undef, undef, 0.02) }'
serving=$server server=$client
if has seccomp; then
    is_filtered && [ "$(of NoNewPrivs)" = 1 ]
    ok $? "connect: system calls are filtered"
fi
server=$serving
exec 4>&-
kill "$client"
run connect --ca pki/root.pem --name app.test --confine none "127.0.0.1:$port"
refused "connect: a word that --confine has not" 2 usage 'none of its words' soft
run check --ca pki/root.pem --name app.test --confine off "127.0.0.1:$port"
[ "$rc" -lt 2 ]
ok $? "check --confine off"
if has seccomp; then
    timeout 60 "$without" seccomp "$tlsock" connect --ca pki/root.pem \
        --name app.test --confine hard "127.0.0.1:$port" >out 2>err </dev/null
    rc=$?
    refused "connect --confine hard without seccomp" 6 confine \
        'system calls cannot be confined' '--confine soft'
    timeout 60 "$without" seccomp "$tlsock" connect --ca pki/root.pem \
        --name app.test "127.0.0.1:$port" >out 2>err </dev/null
    ok $? "and without that word it goes on"
    timeout 60 "$without" seccomp "$tlsock" fingerprint pki/good.pem \
        --confine hard >out 2>err </dev/null
    rc=$?
    refused "fingerprint --confine hard without seccomp" 6 confine \
        'system calls cannot be confined' '--confine soft'
fi
stop

# programs
begin --exec -- sh -c 'cat; cat outside/other.key | wc -l'
talk hello
[ "$(head -1 out)" = hello ] && [ "$(sed -n 2p out)" -gt 1 ] &&
    grep -q 'not files: programs need files of their own' log
ok $? "--exec still runs programs, which find their files"
stop

begin --files site
printf 'GET /page HTTP/1.0\r\n\r\n' | timeout 60 "$tlsock" connect \
    --ca pki/root.pem --name app.test "127.0.0.1:$port" >out 2>err
grep -q '^served' out
ok $? "--files serves its directory"
stop
"$tlsock" serve "unix:$dir/sock" --cert site.pem --key site.key \
    --port-file port2 -v >serve.out 2>log </dev/null &
server=$!
pids="$pids $server"
timeout 30 perl -e 'until (-s "serve.out") { select(undef, undef, undef, 0.02) }'
echo hello | timeout 60 "$tlsock" connect --ca pki/root.pem --name app.test \
    "unix:$dir/sock" >out 2>err
[ "$(cat out)" = hello ] && stop && [ ! -e sock ]
ok $? "a UNIX socket is made, and taken away at the end"

# another user
run serve :0 --confine maybe
refused "a word that --confine has not" 2 usage 'none of its words' 'soft'
run serve :0 --misbehave good --pki pki --user nobody
refused "--misbehave is for tests: it stays who it is" 2 usage \
    'decides itself' 'leave one'
if ! is_root; then
    run serve :0 --user nobody
    refused "not root: --user" 6 not-root 'only root' 'leave --user out'
    run serve :0 --chroot "$dir"
    refused "not root: --chroot" 6 not-root 'only root' 'leave --chroot out'
    skip "--user and --chroot" "these need root"
    finish
fi
run serve :0 --user no.such.user
refused "a user who is not there" 6 no-such-user 'no user "no.such.user"' passwd
run serve :0 --user nobody:no.such.group
refused "a group that is not there" 6 no-such-user 'no group' 'getent group'
run serve :0 --user root
refused "--user root" 2 usage 'nothing would be given up' nobody
run serve :0 --chroot "$dir"
refused "--chroot without --user" 2 usage 'root gets out again' '--user'
run serve :0 --user nobody --chroot "$dir/nowhere"
refused "--chroot to what is not there" 6 own-file 'No such file' '--chroot DIR'
run serve :0 --user nobody --chroot "$dir/site/page"
refused "--chroot to a file" 6 own-file 'Not a directory' '--chroot DIR'
as_nobody() {
    chmod 755 "$dir"
    timeout 60 setpriv --reuid nobody --regid nogroup --clear-groups \
        "$tlsock" "$@" >out 2>err </dev/null
    rc=$?
}
as_nobody version
if [ "$rc" -eq 0 ]; then
    as_nobody serve :0 --user daemon
    refused "not root: --user" 6 not-root 'only root' 'leave --user out'
    as_nobody serve :0 --chroot /
    refused "not root: --chroot" 6 not-root 'only root' 'leave --chroot out'
else
    skip "not root" "nobody cannot run the tool where it is"
fi

uid=$(id -u nobody)
gid=$(id -g nobody)
chmod 700 "$dir"
chmod 600 site.key
begin --user nobody --pcap seen.pcapng --keylog seen.keys
[ "$(of Uid)" = "$uid $uid $uid $uid" ] &&
    [ "$(of Gid)" = "$gid $gid $gid $gid" ] && [ "$(of Groups)" = "$gid" ] &&
    [ "$(of CapEff)" = 0000000000000000 ] && [ "$(of NoNewPrivs)" = 1 ]
ok $? "--user nobody: nobody, in no other group, without a right of root"
talk hello && [ "$(cat out)" = hello ]
ok $? "the key that only root may read was read"
hangup 'cannot read "site.(pem|key)": Permission denied'
grep -q "^  fix:  .*user $uid, who may not read" log
ok $? "it cannot be read again, and that is said"
talk again && [ "$(cat out)" = again ]
ok $? "the old one is served on"
stop
[ -s seen.pcapng ] && [ -s seen.keys ] && [ "$(stat -c %u seen.keys)" -eq 0 ]
ok $? "evidence goes on into the files that were opened before"
chmod 755 "$dir"
chmod 644 site.key
begin --user nobody:daemon
[ "$(of Groups)" = "$(getent group daemon | cut -d: -f3)" ] &&
    hangup '^reloaded'
ok $? "a key that it may read is read again; NAME:GROUP has that group alone"
stop

chmod 700 pki
begin --user nobody --ca pki/root.pem --client-auth ask
talk whom && [ "$(cat out)" = whom ] && ! grep -q 'trust-store' log
ok $? "whom it trusts was read while it could"
stop

mkdir jail
cp site.pem site.key jail
begin --user nobody --chroot jail
[ "$(readlink "/proc/$server/root")" = "$dir/jail" ] && talk hello &&
    [ "$(cat out)" = hello ] && [ "$(of Uid)" = "$uid $uid $uid $uid" ]
ok $? "--chroot: its root is that directory"
hangup '^reloaded'
ok $? "files are read again from there"
rm jail/site.key
hangup 'site.key'
ok $? "and nowhere else"
stop
begin --user nobody --confine off
[ "$(of Uid)" = "$uid $uid $uid $uid" ] && is_as_we_are &&
    [ "$(of NoNewPrivs)" = 1 ]
ok $? "--confine off with --user: still nobody, and for good"
stop

# what cannot be given up is not served
for call in setgroups setresgid setresuid chroot; do
    flag=--user jail=
    [ "$call" = chroot ] && flag=--chroot jail='--chroot jail'
    # shellcheck disable=SC2086
    timeout 60 "$without" "$call" "$tlsock" serve 127.0.0.1:0 --cert site.pem \
        --key site.key --user nobody $jail >out 2>err </dev/null
    rc=$?
    refused "$call is not allowed" 6 confine 'Function not implemented' \
        'leave the option out'
    grep -q "^tlsock: $flag: confine" err && ! grep -q '^ready' out
    ok $? "it is said of $flag, and nobody is served"
done

# the others that serve
"$tlsock" ca init --dir ca >/dev/null 2>err
chown -R nobody ca
rm -f port
mkfifo port
"$tlsock" ca serve 127.0.0.1:0 --dir ca --port-file port --user nobody -v \
    >serve.out 2>log </dev/null &
server=$!
pids="$pids $server"
port=$(timeout 30 cat port)
[ "$(of Uid)" = "$uid $uid $uid $uid" ] &&
    timeout 60 curl -sf "http://127.0.0.1:$port/crl" -o got.crl &&
    [ -s got.crl ] && ! find ca -user root | grep -q .
ok $? "ca serve --user: all that it makes is that user's"
stop
chown -R root ca
run ca serve 127.0.0.1:0 --dir ca --user nobody
[ "$rc" -eq 6 ] && grep -q 'Permission denied' err
ok $? "a CA that is not that user's is refused at once"

mkdir minted bodies
chown nobody minted bodies
export XDG_CACHE_HOME="$dir/minted"
run intercept --listen 127.0.0.1:0 --user nobody --ca pki/root.pem
refused "intercept --user: whom it trusts has to be readable" 6 trust-store \
    'cannot read "pki/root.pem": Permission denied' '.'
cp pki/root.pem root.pem
serve --cert site.pem --key site.key
origin=$port
interceptor icept.out icept.err --user nobody -v --log log.ndjson \
    --bodies bodies --har all.har --ca root.pem --to "127.0.0.1:$origin" \
    --name app.test
[ "$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' \
    "/proc/$middle/status")" = "$uid" ]
ok $? "intercept --user: it is that user"
echo through | timeout 60 "$tlsock" connect \
    --ca "$XDG_DATA_HOME/tlsock/intercept/ca.pem" --name app.test \
    "127.0.0.1:$proxy" >out 2>err
[ "$(cat out)" = through ]
ok $? "it mints, although the CA's key is root's"
end
[ -s log.ndjson ] && [ -s all.har ] && ls bodies | grep -q client
ok $? "log, HAR and bodies are written"
stop
finish
