#!/bin/sh
# Errors of cert, ca and trust that no everyday use meets: each is refused
# with its cause, and leaves things as they were.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
ca=$dir/data/tlsock/ca
"$tlsock" ca init >log 2>&1 && "$tlsock" cert new app.test >log 2>&1 &&
    "$tlsock" cert new --self-signed self.test >log 2>&1
cat app.test.pem app.test.key >both.pem
printf 'secret\n' >pw
printf 'other\n' >wrong

# ---- the index, line by line
cp "$ca/index" good
damage() { # NAME SED CAUSE
    sed "$2" good >"$ca/index"
    cp "$ca/index" damaged
    run ca list
    refused "index: $1" 6 own-file "index, line [0-9]+: .*($3)" .
    run cert new never.test
    [ "$rc" -eq 6 ] && cmp -s damaged "$ca/index" && [ ! -e never.test.pem ]
    ok $? "and nothing is issued with it"
}
damage "a row that ends early" '/^V/s/^\(V [0-9a-f]*\) .*/\1/' 'column is missing'
damage "a row of blanks" '/^V/s/^V .*/V   /' 'column is missing'
damage "an escape that is none" '/^V/s/"DNS:/"\\q/' 'not two quoted texts'
damage "an escape of half a byte" '/^V/s/"DNS:/"\\x1g/' 'not two quoted texts'
damage "an escaped 0" '/^V/s/"DNS:/"\\x00/' 'not two quoted texts'
damage "a text without its end" '/^V/s/"$//' 'not two quoted texts'
damage "a URL without quotes" '5s/^/crl-url = http:\/\/x\/\n/' 'no quoted text'
sed '/^V/s/$/\n/' good | tr '\n' '\000' | sed 's/\x00/\n/2g' >"$ca/index"
run ca list
refused "index: a 0 byte" 6 own-file '0 byte' .
sed '/^V/s/"DNS:/"\\x44NS:/' good >"$ca/index"
run ca list
[ "$rc" -eq 0 ] && grep -q 'DNS:app.test' out
ok $? "an escape that is one is read"
cp good "$ca/index"

# ---- cert renew
run cert renew --key app.test.key app.test.pem self.test.pem
refused "one key for several files" 2 usage '--key and several' 'one run'
run cert renew --key-pass fd:7 both.pem 7<pw
refused "a key inside whose password can be read once" 6 own-file \
    'needed twice' 'file:FILE'
run cert renew --ca nowhere app.test.pem
refused "a CA that is not there" 6 own-file 'nowhere' .
XDG_DATA_HOME=$dir/none run cert renew app.test.pem
refused "no local CA" 6 own-file 'no local CA' '--ca DIR'
run cert new --self-signed --not-before 2020-01-01 --not-after 2020-02-01 old.test
run cert renew --check old.test.pem
[ "$rc" -eq 1 ] && grep -Eq '^due .*expired [0-9]+ days ago' out
ok $? "one that has expired is due, and since when"
cp app.test.pem before.pem
run cert renew --key-pass file:missing --new-key app.test.pem
[ "$rc" -eq 6 ] && cmp -s before.pem app.test.pem && [ ! -e app.test.pem.renew ]
ok $? "a new key whose password is not there changes nothing"
run cert renew --key self.test.key app.test.pem
refused "the key of another certificate" 6 own-file \
    'key in .*self.test.key is not that of' 'cert match'
"$tlsock" cert new --key-pass file:pw locked.test >log 2>&1
run cert renew --key locked.test.key --key-pass fd:7 app.test.pem 7<pw
refused "also if its password is read but once" 6 own-file \
    'key in .*locked.test.key is not that of' 'cert match'
run cert renew --key-pass fd:7 locked.test.pem 7<pw
[ "$rc" -eq 0 ] && grep -q 'same key' out
ok $? "the right one is taken that way"
run cert renew --key-pass file:wrong locked.test.pem
refused "a wrong password" 6 password . .
cmp -s before.pem app.test.pem
ok $? "nothing was replaced"
esc=$(printf 'e\033[31m')
cp app.test.pem "$esc.pem" && cp app.test.key "$esc.key"
run cert renew --new-key "$esc.pem"
[ "$rc" -eq 0 ] && grep -q 'new key in' out && ! grep -q "$(printf '\033')" out
ok $? "control characters of the key's name do not reach the terminal"

# ---- what a file or its password is
run cert show 'pkcs11:token=none;object=none'
[ "$rc" -ne 0 ] && [ "$rc" -ne 3 ] &&
    grep -q '^tlsock: pkcs11:token=none;object=none: ' err &&
    ! grep -q 'resolve' err
ok $? "a token's URI is no host"
run cert show pem:nonsense
refused "text that is no PEM" 6 own-file 'holds no certificate' \
    'BEGIN CERTIFICATE'
run cert show "pem:$(cat app.test.pem)"
[ "$rc" -eq 0 ] && grep -q 'CN=app.test' out
ok $? "text that is"
run cert show "file:$dir/app.test.pem"
[ "$rc" -eq 0 ] && run cert show "file://$dir/app.test.pem" && [ "$rc" -eq 0 ]
ok $? "a file's URI, with and without slashes"
run cert show --pass fd:7 app.test.key 7</dev/null
refused "a descriptor without a password" 6 password 'no password in fd:7' \
    'file:FILE'
mkfifo pipe
head -c 70000000 /dev/zero >pipe 2>log &
pids="$pids $!"
run cert show pipe
refused "a file without end" 6 limit 'larger than' 'right file'
run cert show --color always many.pem app.test.pem
[ "$rc" -eq 6 ] && grep -q "$(printf '\033')" out
ok $? "one that is missing does not hide the others"
run cert diff --color always app.test.pem self.test.pem
[ "$rc" -eq 1 ] && grep -q "$(printf '\033\\[31m')" out &&
    grep -q "$(printf '\033\\[32m')" out
ok $? "differences in colour"

pin=$("$tlsock" cert show --json self.test.pem |
    sed -n 's/.*\(sha256:pub:[0-9a-f]*\).*/\1/p')
run cert verify --pin "$pin" --name self.test self.test.pem
[ "$rc" -eq 0 ] && grep -q 'by pin' out
ok $? "what only a pin trusts says so"
run cert verify '[::1]:1'
[ "$rc" -eq 3 ] && grep -q '^tlsock: \[::1\]:1: ' err
ok $? "an IPv6 address with a port is a host"

# ---- standard output as a file
XDG_RUNTIME_DIR=$dir run cert convert app.test.pem --to der --out -
[ "$rc" -eq 0 ] && openssl x509 -inform DER -in out -noout &&
    [ -z "$(find . -name 'tlsock-*')" ]
ok $? "by way of the directory of the session, which is left empty"
run cert convert app.test.pem --to der --out "$(printf '%05000d' 0)"
[ "$rc" -eq 6 ] && grep -q 'too long' err
ok $? "a name that is too long"

# ---- ca serve
run ca serve --dir nowhere --allow-plain-remote '*:0'
refused "a directory that is none" 6 own-file 'no directory of a CA' 'ca init'
run ca serve --acme --days 0
refused "no days" 2 usage '--days "0"' '--help'
run ca serve --validate-anywhere
refused "an option of ACME without it" 2 usage 'for --acme' 'add --acme'
env -u HOME -u XDG_DATA_HOME "$tlsock" ca serve >out 2>err </dev/null
rc=$?
refused "no home" 6 own-file 'no home directory' 'set HOME'

# ---- where an interceptor keeps its CA, and what it is told
mkdir -p bad/notdir bad/key bad/lock bad/junk
: >bad/notdir/tlsock
for at in key:ca.key lock:lock junk:none; do
    mkdir -p "bad/${at%%:*}/tlsock/intercept/${at#*:}"
done
printf 'junk\n' >bad/junk/tlsock/intercept/ca.pem
long=$dir/$(printf '%0200d/' $(seq 25) | tr -d '\n')
while IFS='|' read -r name where cause; do
    XDG_DATA_HOME=$where run intercept --listen 127.0.0.1:0
    refused "intercept, its own CA: $name" 6 '[a-z-]+' "$cause" .
done <<END
below a file|$dir/bad/notdir|tlsock/intercept: Not a directory
a key that is a directory|$dir/bad/key|ca.key.*([Dd]irectory|not a regular)
a lock that is one|$dir/bad/lock|intercept/lock: Is a directory
a certificate without its key|$dir/bad/junk|ca.key.*No such file
END
XDG_DATA_HOME=$long run intercept --listen 127.0.0.1:0
[ "$rc" -eq 6 ] && grep -q '^  cause: .' err
ok $? "intercept, its own CA: a path that is too long"
env -u HOME -u XDG_DATA_HOME "$tlsock" intercept --listen 127.0.0.1:0 >out \
    2>err </dev/null
rc=$?
refused "intercept, its own CA: no home" 6 own-file 'no home directory' HOME
mkdir rules.d
run intercept --listen 127.0.0.1:0 --rules rules.d
refused "rules that are a directory" 6 own-file 'rules.d: ' 'can be read'
head -c 4200000 /dev/zero | tr '\000' '\n' >rules.big
run intercept --listen 127.0.0.1:0 --rules rules.big
refused "rules beyond all measure" 6 own-file 'rules.big: File too large' '4 MiB'

# ---- the rest of what commands refuse
run ca serve 127.0.0.1:0 --pass fd:77
refused "a password on no descriptor" 6 password 'fd:77.*cannot be read' 'file:'
mkdir ca.d
cp "$ca"/* ca.d/ 2>/dev/null
cp -r "$ca/certs" ca.d/
mkdir ca.d/acme.lock
run ca serve 127.0.0.1:0 --dir ca.d --acme
if "$tlsock" version | grep -q '+acme'; then
    refused "an ACME lock that is a directory" 6 own-file 'acme.lock: ' .
else
    [ "$rc" -ne 0 ]
    ok $? "no ACME"
fi
XDG_RUNTIME_DIR=/proc run cert convert app.test.pem --to der --out -
refused "no place for what goes to standard output" 6 own-file \
    'no place for a copy in /proc' TMPDIR
XDG_RUNTIME_DIR=$long TMPDIR=$long run cert convert app.test.pem --to der --out -
[ "$rc" -eq 0 ] || [ "$rc" -eq 6 ]
ok $? "nor is a place that is not there in the way"
run testpki "$(printf '%05000d' 0)"
refused "testpki: a name that is too long" 2 usage 'too long' .
run cert show "pem:$(printf -- '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----')"
[ "$rc" -eq 6 ] && grep -q '^  cause: .' err
ok $? "a request that is none"
printf -- '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n' >none.crl
run cert show none.crl
[ "$rc" -eq 6 ] && grep -q '^  cause: .' err
ok $? "a CRL that is none"
printf -- '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n' >none.csr
run cert show none.csr
[ "$rc" -eq 6 ] && grep -q '^  cause: .' err
ok $? "a request in a file that is none"
PSK_KEY=000102030405060708090a0b0c0d0e0f
export PSK_KEY
serve --psk dev1 --psk-key env:PSK_KEY
run fingerprint --psk dev1 --psk-key env:PSK_KEY "127.0.0.1:$port"
[ "$rc" -ne 0 ] && [ "$rc" -lt 70 ] && grep -q '^  cause: .' err
ok $? "a server without a certificate has no fingerprint"
stop

# ---- places of somebody else
if [ "$(id -u)" -eq 0 ] && command -v setpriv >log; then
    chmod 755 "$dir" "$dir/data" "$dir/data/tlsock" "$ca"
    other() {
        setpriv --reuid=65534 --clear-groups "$tlsock" "$@" >out 2>err \
            </dev/null
        rc=$?
    }
    other version
    if [ "$rc" -ne 0 ]; then
        skip "a CA of somebody else" "another user cannot run the tool"
    else
        other cert new theirs.test
        refused "a CA of somebody else issues nothing" 6 own-file \
            'Permission denied' 'user whom the CA belongs to'
        other cert show app.test.key
        refused "a key of somebody else" 6 own-file 'Permission denied' \
            'owner or mode'
        other trust list --nss
        refused "browsers of somebody else" 6 permission \
            'belongs to user 0' 'as that user'
        mkdir -p root/usr/local/share/ca-certificates root/etc/ssl/certs
        chmod -R go+rX root
        other trust install --system --root "$dir/root" "$ca/ca.pem"
        refused "a store of somebody else" 6 permission 'may not write' \
            'sudo tlsock trust install --system .*/ca.pem'
        [ -z "$(find root -type f)" ]
        ok $? "nothing was put there"
        mkdir here
        other testpki here/zoo
        refused "a directory of somebody else" 6 own-file 'Permission denied' \
            'may write'
    fi
else
    skip "places of somebody else" "only root can be another user"
fi
finish
