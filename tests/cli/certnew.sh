#!/bin/sh
# cert new and cert csr: every option ends up in the certificate, as openssl
# reads it; slips are answered; nothing half done is left.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
ca=$dir/data/tlsock/ca
n=0

text() { # FILE
    openssl x509 -in "$1" -noout -text >log 2>&1
}
# Makes NAME.pem with these words; its text must match each REGEX.
holds() { # WHAT REGEX... -- WORDS...
    what=$1
    n=$((n + 1))
    shift
    : >want
    while [ "$1" != -- ]; do
        printf '%s\n' "$1" >>want
        shift
    done
    shift
    run cert new --out "n$n" "$@"
    good=$rc
    text "n$n.pem"
    while read -r regex; do
        grep -Eq -e "$regex" log || good=1
    done <want
    ok "$good" "$what"
}

run cert new first.test
[ "$rc" -eq 0 ] && grep -q 'there is no local CA: tlsock ca init' out
ok $? "without a CA it signs itself, and says what to do"
run ca init
ok "$rc" "ca init"

run cert new app.test '*.app.test' 127.0.0.1
from=$(date -u +%Y-%m-%d)
to=$(date -u -d "$from + 90 days" +%Y-%m-%d)
cat >want <<E2
created  app.test.pem   certificate, ECDSA P-256, $from to $to (90 days)
created  app.test.key   private key, mode 0600, not encrypted
names    app.test  *.app.test  127.0.0.1
issuer   tlsock local CA (may only sign .test .localhost .internal and private addresses)
renew    tlsock cert renew app.test.pem
E2
cmp -s want out || diff want out >log
cmp -s want out
ok $? "the defaults, to the letter"
cp app.test.pem three.pem
text app.test.pem
grep -q 'Version: 3' log && grep -q 'Digital Signature' log &&
    grep -q 'TLS Web Server Authentication' log && grep -q 'CA:FALSE' log
ok $? "version 3, the right usages"
serial=$(openssl x509 -in app.test.pem -noout -serial | sed 's/.*=//')
grep -iq "$serial" "$ca/index"
ok $? "it is in the index of its CA"

holds "--subject" 'Subject: O ?= ?Example, CN ?= ?a.test' -- \
    --subject 'CN=a.test,O=Example' a.test
for k in 'ec:P-384 secp384r1' 'rsa:2048 RSA.Public-Key:..2048|Public-Key: .2048' \
    'ed25519 ED25519'; do
    holds "--key-type ${k% *}" "${k#* }" -- --key-type "${k%% *}" a.test
done
holds "--days" . -- --days 7 a.test
openssl x509 -in "n$n.pem" -noout -checkend $((7 * 86400 - 3600)) >log &&
    ! openssl x509 -in "n$n.pem" -noout -checkend $((7 * 86400 + 3600)) >log
ok $? "a week is a week"
year=$(($(date -u +%Y) + 1))
holds "--not-before and --not-after, that day included" \
    "Not Before: Feb  1 00:00:00 $year" "Not After : Feb 28 23:59:59 $year" -- \
    --not-before "$year-02-01" --not-after "$year-02-28" a.test
holds "with a time of day" "Not After : Mar  1 10:20:30 $year" -- \
    --not-after "$year-03-01T10:20:30Z" a.test
holds "--client" 'TLS Web Client' 'email:me@a.test' -- --client me@a.test
! grep -q 'TLS Web Server' log
ok $? "a client's is no server's"
holds "--purpose" 'Code Signing' -- --subject 'CN=Signer' --purpose codeSigning
holds "--ext" '1.3.6.1.4.1.32473.7' -- \
    --ext '1.3.6.1.4.1.32473.7=ASN1:UTF8String:x' a.test
holds "--must-staple" 'status_request' -- --must-staple a.test
holds "--crl-url --ocsp-url --aia-url" 'URI:http://crl.test/x' \
    'OCSP - URI:http://ocsp.test/' 'CA Issuers - URI:http://ca.test/ca.der' -- \
    --crl-url http://crl.test/x --ocsp-url http://ocsp.test/ \
    --aia-url http://ca.test/ca.der a.test
holds "--serial" '4d2|1234 .0x4d2' -- --serial 4D2 a.test
holds "--digest" 'ecdsa-with-SHA384' -- --digest sha384 a.test
holds "a URI as a name" 'URI:spiffe://a.test/b' -- spiffe://a.test/b a.test
holds "names with their kind" 'DNS:b.test' 'email:x@b.test' -- \
    DNS:b.test EMAIL:x@b.test
holds "an internationalized name" 'DNS:xn--bcher-kva.test' -- "$(printf \
    'b\303\274cher.test')"
holds "--like" 'DNS:app.test, DNS:\*.app.test, IP Address:127.0.0.1' -- \
    --like app.test.pem

# Keys and PKCS#12
echo sesame >pw
echo other >pw2
run cert new --key-pass file:pw locked.test
[ "$rc" -eq 0 ] && grep -q 'mode 0600, encrypted' out &&
    grep -q 'BEGIN ENCRYPTED PRIVATE KEY' locked.test.key
ok $? "--key-pass encrypts the new key"
openssl pkey -in locked.test.key -passin file:pw -noout 2>log
ok $? "and openssl opens it"
sum=$(cksum <locked.test.key)
run cert new --key locked.test.key --key-pass file:pw --out again locked.test
[ "$rc" -eq 0 ] && [ ! -e again.key ] && [ "$sum" = "$(cksum <locked.test.key)" ]
ok $? "--key takes an existing one, and leaves it alone"
[ "$(openssl x509 -in again.pem -noout -pubkey)" = "$(openssl x509 \
    -in locked.test.pem -noout -pubkey)" ]
ok $? "it is the same key"
run cert new --key locked.test.key --key-pass file:pw2 --out no x.test
refused "with the wrong password" 6 password locked.test.key .
run cert new --p12 --new-pass file:pw2 bag.test
[ "$rc" -eq 0 ] && [ "$(stat -c %a bag.test.p12)" = 600 ] &&
    openssl pkcs12 -in bag.test.p12 -passin file:pw2 -nodes -out bag 2>log &&
    grep -q 'PRIVATE KEY' bag && grep -q 'BEGIN CERT' bag
ok $? "--p12 writes PKCS#12 as well"
[ "$(openssl pkey -in bag -pubout)" = "$(openssl pkey -in bag.test.key -pubout)" ]
ok $? "with the same key"

# CAs
run cert new --make-ca --self-signed --out own 'My "Own" CA, Ltd'
[ "$rc" -eq 0 ] && grep -q '(3650 days)' out && text own.pem &&
    grep -q 'CA:TRUE, pathlen:0' log && grep -q 'DNS:internal' log
ok $? "--make-ca: ten years, limited to local names"
openssl x509 -in own.pem -noout -subject -nameopt RFC2253 | grep -qF \
    'CN=My \"Own\" CA\, Ltd'
ok $? "its name is kept"
run cert new --make-ca --self-signed --any-name --pathlen any --out top 'Top CA'
[ "$rc" -eq 0 ] && text top.pem && ! grep -q 'Name Constraints' log &&
    ! grep -q pathlen log
ok $? "--any-name and --pathlen any lift that"
run cert new --make-ca --ca top.pem --permitted .lab.example --out sub 'Sub CA'
[ "$rc" -eq 0 ] && text sub.pem && grep -q 'DNS:lab.example' log
ok $? "a CA below it, with names of its own"
run cert new --ca sub.pem --out leaf www.lab.example
[ "$rc" -eq 0 ] && grep -q '(may only sign .lab.example)' out &&
    [ "$(grep -c BEGIN leaf.pem)" -eq 2 ] &&
    openssl verify -x509_strict -CAfile top.pem -untrusted leaf.pem \
        -purpose sslserver leaf.pem >log 2>&1
ok $? "which signs within them; the chain verifies"
run cert new --ca sub.pem --out no www.example.org
refused "and not outside of them" 6 purpose 'lab\.example' \
    'ca init .*--permitted .*--ca'
[ ! -e no.pem ] && [ ! -e no.key ]
ok $? "and leaves no file"
run ca init --dir locked --pass file:pw
if [ "$rc" -eq 0 ]; then
    run cert new --ca locked --pass file:pw --out by x.test
    ok "$rc" "--pass opens the CA's key"
    run cert new --ca locked --out by2 x.test
    [ "$rc" -eq 6 ] && [ ! -e by2.key ]
    ok $? "without it nothing is made"
else
    ok 1 "ca init --pass"
fi

# What people type in place of a name: NAME|CAUSE|FIX
while IFS='|' read -r name cause fix; do
    run cert new --out slip "$name"
    refused "\"$name\" is answered" 2 usage "$cause" "$fix"
done <<'E2'
a.test,b.test|list in one word|a\.test b\.test$
a.test; b.test|list in one word|a\.test b\.test$
https://app.test/login|URL|host alone: app\.test$
https://me:pw@app.test:8443/|URL|host alone: app\.test$
smtp://[::1]:25|URL|host alone: \[::1\]$
localhost:8443|has a port|host alone: localhost$
[::1]:443|has a port|host alone: \[::1\]$
10.0.0.0/8|is a network|--permitted
fd00::/8|is a network|--permitted
app.test/x|has a path|host alone: app\.test$
../app|is a path|--out
/etc/x|is a path|--out
*app.test|no wildcard|'\*\.app\.test'
a*.app.test|no wildcard|'\*\.app\.test'
*.*.app.test|no wildcard|'\*\.app\.test'
.app.test|no wildcard|'\*\.app\.test'
www.*.test|no wildcard|'\*\.test'
*|every host|each host by its name
E2
[ ! -e slip.pem ] && [ ! -e slip.key ]
ok $? "and nothing is made"
# the library's own answers: NAME|SLUG
while IFS='|' read -r name slug; do
    run cert new --out slip "$name"
    [ "$rc" -eq 2 ] || [ "$rc" -eq 6 ]
    ok $? "\"$name\" is refused"
    grep -Eq '^  fix:   .' err
    ok $? "with a fix"
done <<'E2'
*.test
a_b.test
a..test
300.1.1.1
IP:fe80::zz
EMAIL:nobody
URI:x
E2
[ ! -e slip.pem ] && [ ! -e slip.key ]
ok $? "the names that were taken are free again"

# options that contradict each other: CAUSE|FIX|WORDS
while IFS='|' read -r cause fix words; do
    # shellcheck disable=SC2086
    run cert new --out slip $words
    refused "cert new $words" 2 usage "$cause" "$fix"
done <<'E2'
no NAME|--like|--days 3
--self-signed and --ca|leave|--self-signed --ca x a.test
--client and --purpose|same|--client --purpose server a.test
--client and --make-ca|leave|--client --make-ca X
--days and --not-after|leave|--days 3 --not-after 2030-01-01 a.test
--any-name and --permitted|leave|--make-ca --any-name --permitted .x X
for a CA alone|--make-ca|--permitted .x a.test
for a CA alone|--make-ca|--pathlen 1 a.test
one name|quotes|--make-ca My CA
--key and --key-type|leave|--key k --key-type rsa:2048 a.test
--p12 needs a password|--new-pass|--p12 a.test
--new-pass without --p12|--key-pass|--new-pass file:pw a.test
never given|file:FILE|--key-pass secret a.test
never given|file:FILE|--p12 --new-pass secret a.test
no date|2026-12-31|--not-after tomorrow a.test
no date|2026-12-31|--not-after 2027-02-30 a.test
no date|2026-12-31|--not-before 2027-01-01T10:00 a.test
whole number|--help|--days 0 a.test
whole number|--help|--make-ca --pathlen 101 X
before 1970|--help|--not-before 1960-01-01 a.test
E2
run cert new --key-pass prompt a.test
[ "$rc" -eq 6 ] || [ "$rc" -eq 2 ]
ok $? "prompt without a terminal"
run cert new --days 36500 long.test
refused "longer than its issuer" 2 argument 'outlive.*tlsock local CA' .
run cert new --days 900 long.test
[ "$rc" -eq 0 ] && grep -q '^note .*825 days' out
ok $? "a long lifetime is noted"
run cert new --days 900 --client long@a.test
! grep -q '^note' out
ok $? "for servers alone"
run cert new --ca missing a.test
[ "$rc" -eq 6 ] && [ ! -e a.test.pem ]
ok $? "a CA that is not there"
run cert new --like missing.pem
refused "--like a file that is not there" 6 own-file missing.pem .
run cert new --ca app.test.pem --out by-leaf x.test
[ "$rc" -eq 6 ] && [ ! -e by-leaf.pem ]
ok $? "a leaf signs nothing"

# Files
run cert new app.test
refused "existing files" 6 own-file 'app.test.pem exists' --force
rm app.test.pem
sum=$(cksum <app.test.key)
run cert new app.test
[ "$rc" -eq 6 ] && [ ! -e app.test.pem ] && [ "$sum" = "$(cksum <app.test.key)" ]
ok $? "half of a pair is enough, and stays"
run cert new --force app.test
[ "$rc" -eq 0 ] && [ "$(openssl pkey -in app.test.key -pubout)" = "$(openssl \
    x509 -in app.test.pem -noout -pubkey)" ]
ok $? "--force replaces both: they belong together"
mkdir sub.d
run cert new --out sub.d a.test
[ "$rc" -eq 0 ] && [ -s sub.d/a.test.pem ] && [ -s sub.d/a.test.key ]
ok $? "--out DIR"
run cert new --out sub.d/ b.test
[ "$rc" -eq 0 ] && [ -s sub.d/b.test.pem ]
ok $? "--out DIR/"
run cert new --out sub.d/web.pem c.test
[ "$rc" -eq 0 ] && [ -s sub.d/web.pem ] && [ -s sub.d/web.key ]
ok $? "--out FILE.pem names the pair"
run cert new --out none/x a.test
refused "a directory that is not there" 6 own-file 'directory does not exist' \
    'make the directory'
mkdir isdir.pem
run cert new --force --out isdir a.test
refused "a directory in place of the file" 6 own-file isdir.pem .
[ ! -e isdir.key ]
ok $? "and no key is left"
run cert new --out "$(printf '%05000d' 0)" a.test
refused "a name that is too long" 2 usage 'too long' .
run cert new "$(printf '%0300d' 0).test"
[ "$rc" -ne 0 ] && [ -z "$(find . -name '0000*')" ]
ok $? "a host name that is too long"
ls | grep -q '\.new$'
[ $? -ne 0 ]
ok $? "nothing is left beside"
(umask 0 && run cert new open.test && [ "$(stat -c %a open.test.key)" = 600 ])
ok $? "the key is 0600 whatever the umask"
# What one who was killed has left: an empty file that nobody holds.
: >left.test.pem
: >left.test.key
run cert new left.test
[ "$rc" -eq 0 ] && openssl x509 -in left.test.pem -noout &&
    openssl pkey -in left.test.key -noout
ok $? "empty files that nobody holds are taken"
: >held.test.pem
exec 9<held.test.pem
flock -n 9
run cert new held.test
refused "one that somebody holds is not" 6 own-file 'held.test.pem exists' --force
exec 9<&-
[ -e held.test.pem ] && [ ! -e held.test.key ]
ok $? "and stays what it is"
echo x >full.test.key
run cert new full.test
[ "$rc" -eq 6 ] && [ "$(cat full.test.key)" = x ] && [ ! -e full.test.pem ]
ok $? "nor is one with a single byte in it"
# A disk that is full after the key: nothing changes, --force or not.
run cert new fill.test
sum=$(cat fill.test.key fill.test.pem | cksum)
before=$(find . | sort | cksum)
(ulimit -f 1 && trap '' XFSZ && "$tlsock" cert new --force --self-signed \
    --key-type rsa:2048 fill.test >out 2>err </dev/null)
rc=$?
[ "$rc" -eq 6 ] && [ "$sum" = "$(cat fill.test.key fill.test.pem | cksum)" ]
ok $? "no room: the old pair stays as it was"
[ "$before" = "$(find . | sort | cksum)" ]
ok $? "and nothing is left beside it"
# Ctrl-C: a key that takes long, ended as soon as its names are taken.
for s in INT TERM HUP; do
    env -i HOME="$dir" ASAN_OPTIONS="${ASAN_OPTIONS-}" perl -e '
        my ($sig, @command) = @ARGV;
        $SIG{$_} = "DEFAULT" for qw(INT TERM HUP);
        my $pid = fork // die;
        if (!$pid) {
            open(STDOUT, ">", "/dev/null");
            exec(@command) or die;
        }
        until (-e "slow.pem" && -e "slow.key") {
            die "ended early" if waitpid($pid, 1) == $pid;
        }
        kill($sig, $pid);
        waitpid($pid, 0);
        exit(($? & 127) ? 0 : 1);' "$s" "$tlsock" cert new --self-signed \
        --key-type rsa:8192 --out slow slow.test 2>err
    [ $? -eq 0 ] && [ ! -e slow.pem ] && [ ! -e slow.key ]
    ok $? "SIG$s leaves no empty files"
done

# JSON
run cert new --json --p12 --new-pass file:pw j.test 10.1.2.3
[ "$rc" -eq 0 ] && perl -MJSON::PP -0ne '$o = decode_json($_);
    exit(!($o->{schema} eq "tlsock.cert-new/1" && $o->{recorded} &&
    "@{$o->{names}}" eq "j.test 10.1.2.3" && $o->{p12} eq "j.test.p12" &&
    $o->{key_type} eq "ECDSA P-256" && @{$o->{notes}} == 0 &&
    $o->{pin} =~ /^sha256:pub:/))' out
ok $? "--json"
run cert new --json a.test,b.test
[ "$rc" -eq 2 ] && perl -MJSON::PP -0ne 'exit(decode_json($_)->{code} eq
    "usage" ? 0 : 1)' out
ok $? "errors are JSON too"
run cert new -q quiet.test
[ "$rc" -eq 0 ] && [ ! -s out ] && [ -s quiet.test.pem ]
ok $? "-q says nothing"

# cert csr
run cert csr www.shop.test shop.test 10.9.8.7
[ "$rc" -eq 0 ] && [ "$(stat -c %a www.shop.test.key)" = 600 ] &&
    openssl req -in www.shop.test.csr -noout -verify -text >log 2>&1 &&
    grep -q 'DNS:www.shop.test, DNS:shop.test, IP Address:10.9.8.7' log
ok $? "cert csr: openssl verifies it and finds the names"
grep -q '^names    www.shop.test  shop.test  10.9.8.7' out &&
    grep -q 'give it to the CA' out
ok $? "it says what to do with both files"
run cert csr --like three.pem --key app.test.key --out renewal
[ "$rc" -eq 0 ] && [ ! -e renewal.key ] &&
    openssl req -in renewal.csr -noout -text >log 2>&1 &&
    grep -q 'DNS:app.test, DNS:\*.app.test, IP' log &&
    [ "$(openssl req -in renewal.csr -noout -pubkey)" = "$(openssl pkey \
        -in app.test.key -pubout)" ]
ok $? "--like and --key: a request for renewal"
run cert csr --subject 'CN=x.test,O=Example,C=DE' --ext \
    'tlsfeature=status_request' --key-type rsa:2048 --key-pass file:pw x.test
[ "$rc" -eq 0 ] && openssl req -in x.test.csr -noout -text >log 2>&1 &&
    grep -Eq 'C ?= ?DE' log && grep -q status_request log &&
    openssl pkey -in x.test.key -passin file:pw -noout 2>>log
ok $? "--subject, --ext, --key-type, --key-pass"
run cert csr --make-ca 'Request CA'
[ "$rc" -eq 0 ] && openssl req -in Request_CA.csr -noout -text | grep -q CA:TRUE
ok $? "a CA may ask too"
run cert csr x.test
refused "existing files" 6 own-file 'x.test.* exists' --force
run cert csr --json y.test
[ "$rc" -eq 0 ] && perl -MJSON::PP -0ne '$o = decode_json($_);
    exit(!($o->{schema} eq "tlsock.cert-csr/1" && $o->{request} eq
    "y.test.csr" && $o->{names}[0] eq "y.test"))' out
ok $? "--json"
run cert csr --days 5 z.test
refused "what the CA decides is no option" 2 usage 'no option --days' .
run cert csr https://z.test
refused "slips are answered here too" 2 usage URL z.test
run cert csr
refused "no name" 2 usage 'no NAME' .
run cert csr --key missing.key z.test
[ "$rc" -ne 0 ] && [ ! -e z.test.csr ]
ok $? "a key that is not there"
finish
