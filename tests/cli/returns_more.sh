#!/bin/sh
# More of what no everyday use meets: names that are too long, places that
# others hold, terminals, ends in the middle. Each says why and what helps.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
ca=$dir/data/tlsock/ca
"$tlsock" ca init >log 2>&1 && "$tlsock" cert new app.test >log 2>&1 &&
    "$tlsock" cert csr req.test >log 2>&1 || exit 1
printf 'secret\n' >pw

# ---- names that are too long, of which some fit, but not what is made of them:
# @ is a path of so many characters
deep() { # LENGTH: a path below this directory, without a / at its end
    d=$dir
    while [ $(($1 - ${#d})) -gt 230 ]; do
        d=$d/$(printf '%0200d' 0)
    done
    printf '%s/%0*d' "$d" $(($1 - ${#d} - 1)) 0
}
while IFS='|' read -r name n rc_want command; do
    long=$(deep "$n")
    # shellcheck disable=SC2086
    run $(printf '%s' "$command" | sed "s|@|$long|")
    refused "too long: $name" "$rc_want" '[a-z-]+' 'too long' .
done <<END
ca init --dir|4100|2|ca init --dir @
ca init --dir, the certificate in it|4092|2|ca init --dir @
cert new --out|4094|2|cert new --self-signed --out @ x.test
--config|5000|2|connect --config @ 127.0.0.1:1
testpki|4092|2|testpki @
trust install|5000|2|trust install --system @
END
mkdir -p "$(deep 4060)"
for n in 4061 4072 4075; do # .../tlsock/intercept and its files
    XDG_DATA_HOME=$(deep $n) run intercept --listen 127.0.0.1:0
    refused "too long: where an interceptor keeps its CA, $n" 6 '[a-z-]+' \
        'too long' .
done
mkdir -p "$(deep 4092)"
run trust install --system "$(deep 4092)"
refused "too long: trust install, the certificate in a directory" 2 usage \
    'path is too long' .
mkdir -p "$(deep 4085)"
run trust install --system --root "$(deep 4085)" "$ca/ca.pem"
refused "too long: what is below another root" 6 own-file \
    'no store of the system' .
if "$tlsock" version | grep -q '+acme'; then
    "$tlsock" ca crl >log 2>&1
    mkdir -p "$(deep 4087)/certs" # crl.pem has room there, acme.pem has not
    for f in ca.pem ca.key index lock crl.pem crl.der; do
        cp "$ca/$f" "$(deep 4087)"
    done
    run ca serve --acme --dir "$(deep 4087)" 127.0.0.1:0
    refused "too long: the certificate of ca serve --acme" 6 own-file \
        'too long' 'a shorter'
    # acme.pem has room there, acme-accounts.json has not
    mkfifo aport
    "$tlsock" ca serve --acme 127.0.0.1:0 --port-file aport >log 2>&1 \
        </dev/null &
    server=$!
    pids="$pids $server"
    timeout 30 cat aport >log
    stop
    mkdir -p "$(deep 4080)"
    cp -r "$ca"/* "$(deep 4080)"
    run ca serve --acme --dir "$(deep 4080)" 127.0.0.1:0
    refused "too long: the accounts of ca serve --acme" 6 own-file \
        'too long' 'a shorter path'
fi
rm -rf "$dir"/000*

cp app.test.pem plain # no ending, so that its key has a longer name
run cert renew "$(printf './%.0s' $(seq 2044))plain"
refused "too long: the name of a key beside" 6 own-file 'File name too long' .

# ---- no home
while IFS='|' read -r name command; do
    # shellcheck disable=SC2086
    env -u HOME -u XDG_DATA_HOME "$tlsock" $command >out 2>err </dev/null
    rc=$?
    refused "no home: $name" 6 own-file 'no home directory' .
done <<END
ca init|ca init
END

# ---- a terminal is no place for bytes
timeout 60 perl "$here/type.pl" \
    "'$tlsock' cert convert app.test.pem --to der --out -" >out 2>err </dev/null
rc=$?
[ "$rc" -eq 2 ] && grep -q 'not for a terminal' out
ok $? "DER is not written to a terminal"
timeout 60 perl "$here/type.pl" "trap : INT; '$tlsock' cert new --self-signed \
    --key-pass prompt --out it app.test; echo ended \$?" sesame "$(printf '\003')" \
    >out 2>err </dev/null
grep -q 'ended 130' out && [ ! -e it.key ] && [ ! -e it.pem ]
ok $? "who gives up at the second question has no key"

# ---- files that are damaged, or something else
mkdir caf cal
cp "$ca/ca.pem" "$ca/ca.key" caf && : >caf/certs
cp "$ca/ca.pem" "$ca/ca.key" cal && ln -s nowhere cal/certs
printf -- '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' >bad.pem
printf -- '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n' >bad.csr
cp app.test.pem left.pem && cp app.test.key left.key && echo junk >left.pem.renew
cat app.test.pem req.test.csr >mixed.pem
"$tlsock" cert new --key-pass file:pw locked.test >log 2>&1
while IFS='|' read -r name rc_want slug cause command; do
    # shellcheck disable=SC2086
    run $command
    refused "$name" "$rc_want" "$slug" "$cause" .
done <<END
a CA whose copies are a file|6|own-file|caf/certs: Not a directory|cert renew --ca caf app.test.pem
a CA whose copies are a link to nothing|6|own-file|cannot make cal/certs|cert renew --ca cal app.test.pem
cert renew, a certificate that is damaged|6|own-file|bad.pem.* is damaged|cert renew bad.pem
cert renew, what an earlier run left is damaged|6|own-file|left.pem.renew.* holds no certificate|cert renew left.pem
cert match, a request that is damaged|6|own-file|no readable signing request|cert match bad.csr
cert convert, a request that is damaged|6|own-file|it is damaged|cert convert bad.csr --to der --out bad.der
cert fix, a key without its password|6|password|no password was given|cert fix locked.test.pem --key locked.test.key
cert fix, two places|2|usage|--in-place and --out|cert fix --in-place --out x app.test.pem
secrets to a place that is none|2|option|No such file|connect --keylog nowhere/x 127.0.0.1:1
cert fix, what else is in the file|2|usage|would lose what else|cert fix --in-place mixed.pem
a capture to a place that is none|6|own-file|nowhere/x: No such file|fingerprint --listen 127.0.0.1:0 --pcap nowhere/x
ca init, an issuer that is none|6|own-file|nowhere.*: No such file|ca init --dir below --name x --issuer nowhere
early data to a port that is none|2|[a-z-]+|99999|connect --early-data --session s 127.0.0.1:99999
early data to nobody|3|connect|Connection refused|connect --early-data --session s 127.0.0.1:1
END
[ ! -e bad.der ] && [ ! -e below ] && cmp -s left.pem app.test.pem
ok $? "and nothing was changed"
run cert fix --json --out - app.test.pem
[ "$rc" -eq 2 ] && grep -q '"cause":"--json and --out - both want' out
ok $? "cert fix, two things to standard output"

# ---- where somebody listens already, and where results cannot go
make_pki
serve --cert app.test.pem --key app.test.key
to="--ca $ca/ca.pem --name app.test 127.0.0.1:$port"
for args in "intercept --listen 127.0.0.1:$port" \
    "serve --misbehave expired --pki pki 127.0.0.1:$port" \
    "fingerprint --listen 127.0.0.1:$port"; do
    # shellcheck disable=SC2086
    run $args
    refused "${args%% 127*}: where somebody listens" 3 system \
        'Address already in use' 'ss -ltnp'
done
for how in '' --json; do
    # shellcheck disable=SC2086
    timeout 60 "$tlsock" check $how $to >/dev/full 2>err </dev/null
    rc=$?
    refused "check $how: a full standard output" 70 output 'cannot write' .
done
# a tunnel that is asked for and not taken is none, and the next one is served
mkfifo mport
"$tlsock" serve --misbehave all --pki pki 127.0.0.1:0 --port-file mport \
    >log 2>&1 </dev/null &
pids="$pids $!"
mport=$(timeout 30 cat mport)
perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die;
    print $s "CONNECT app.test:443"; shutdown $s, 1; print <$s>' "$mport" >out 2>err
[ ! -s out ]
ok $? "misbehave: half a request for a tunnel has no answer"
run connect --ca pki/root.pem --name app.test --sni expired.test \
    "127.0.0.1:$mport"
refused "and the next client is served" 5 expired 'expired' .
# a client that speaks no TLS is told of, with -v, and counts
rm mport && mkfifo mport
for told in 0 1; do
    v=$([ "$told" -eq 0 ] || echo -v)
    # shellcheck disable=SC2086
    "$tlsock" fingerprint --listen 127.0.0.1:0 --count 1 --port-file mport $v \
        >out 2>err </dev/null &
    listener=$!
    mport=$(timeout 30 cat mport)
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 30 perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die;
        print $s <STDIN>; 1 while <$s>' "$mport"
    wait "$listener"
    rc=$?
    [ "$rc" -eq 0 ] && [ "$(grep -c ': not-tls$' err)" -eq "$told" ]
    ok $? "fingerprint --listen $v: a client that speaks no TLS"
done
# shellcheck disable=SC2086
timeout 60 "$tlsock" connect $to >out 2>err <.
rc=$?
grep -q 'stdin or stdout: Is a directory' err && [ "$rc" -eq 6 ]
ok $? "connect: a standard input that cannot be read"

# ---- places of somebody else
if [ "$(id -u)" -eq 0 ] && command -v setpriv >log &&
    setpriv --reuid=65534 --clear-groups "$tlsock" version >log 2>&1; then
    chmod -R go+rX "$dir" && mkdir shut && chmod 700 shut
    : >page.html && chmod 666 page.html
    other() {
        timeout 60 setpriv --reuid=65534 --clear-groups "$tlsock" "$@" >out \
            2>err </dev/null
        rc=$?
    }
    while IFS='|' read -r name rc_want slug cause command; do
        # shellcheck disable=SC2086
        other $command
        refused "$name" "$rc_want" "$slug" "$cause" .
    done <<END
a user that only root can become|6|not-root|only root can become|serve --user nobody 127.0.0.1:0
a root that only root can change|6|not-root|only root can change|serve --chroot / 127.0.0.1:0
cert fix, a directory that cannot be read|6|own-file|directory cannot be read|cert fix --with shut app.test.pem
a page in a directory of somebody else|6|own-file|page.html: Permission denied|check --force --html page.html $to
END
    [ ! -s page.html ]
    ok $? "and it is as it was"
    mkdir -m 1777 sticky && cp app.test.pem app.test.key sticky
    cat app.test.pem app.test.key >sticky/app.test.pem.renew
    chmod 644 sticky/app.test.pem.renew
    chown 65534 sticky/app.test.pem sticky/app.test.key
    other cert renew sticky/app.test.pem
    refused "what an earlier run left and cannot be removed" 6 own-file \
        'cannot remove .*app.test.pem.renew: Operation not permitted' \
        'are in their places'
else
    skip "places of somebody else" "only root can be another user"
fi
stop
finish
