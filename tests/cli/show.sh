#!/bin/sh
# cert show, cert diff, cert match: what certificates say, held against openssl.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data

# EXPR holds of the object in out.
holds() { # NAME EXPR
    perl -MJSON::PP -e '
        local $/;
        our $o = decode_json(<STDIN>);
        our $c = $o->{certificates}[0];
        exit(eval($ARGV[0]) ? 0 : 1);' "$2" <out
    ok $? "$1"
}

run testpki z
ok "$rc" "a zoo"
mv z/* .
# --- every file of the zoo, and what openssl says of it

for f in good good-rsa good-p384 good-ed25519 wildcard ip idn client must-staple \
    constrained root inter; do
    [ -f $f.pem ] || continue
    run cert show --json $f.pem
    sha=$(openssl x509 -in $f.pem -noout -fingerprint -sha512 | sed 's/.*=//')
    serial=$(openssl x509 -in $f.pem -noout -serial | sed 's/.*=//' |
        tr 'A-F' 'a-f' | sed 's/^0*//')
    size=$(openssl x509 -in $f.pem -outform DER | wc -c)
    holds "$f: digest, serial number, size and PEM are those of openssl" \
        "\$c->{fingerprints}{sha512} eq '$sha' && \$c->{size} == $size &&
        \$c->{serial} =~ /^0*$serial\$/ &&
        \$c->{pem} eq qx(openssl x509 -in $f.pem)"
    pin=$(openssl x509 -in $f.pem -noout -pubkey |
        openssl pkey -pubin -outform DER | openssl dgst -sha256 |
        sed 's/.*= //')
    holds "$f: so is the pin" "\$c->{pin} eq 'sha256:pub:$pin' &&
        \$c->{digests}{public_key}{sha256} eq '$pin'"
    n=$(openssl x509 -in $f.pem -noout -text | grep -c '^            X509v3\|^            TLS Feature\|^            Authority Information')
    holds "$f: as many extensions" "@{\$c->{extensions}} == $n"
done
run cert show --json good.pem
holds "names are typed" '$c->{subject_alt_names}[0]{type} eq "DNS" &&
    (grep { $_->{type} eq "IP" && $_->{value} eq "::1" }
        @{$c->{subject_alt_names}})'
holds "the subject is taken apart" '$c->{subject_parts}[0]{type} eq "CN" &&
    $c->{subject_parts}[0]{oid} eq "2.5.4.3" &&
    $c->{subject_parts}[0]{value} eq "app.test"'
holds "usages have names and numbers" '
    $c->{ext_key_usage}[0]{oid} eq "1.3.6.1.5.5.7.3.1" &&
    $c->{ext_key_usage}[0]{name} eq "serverAuth" &&
    $c->{key_usage}[0] eq "digitalSignature"'
holds "the chain follows, its issuer is found by the signature" '
    @{$o->{certificates}} == 2 && $c->{issuer_index} == 0 &&
    !defined $o->{certificates}[1]{issuer_index}'
run cert show --json must-staple.pem
holds "must-staple" '$c->{must_staple}'
run cert show --json root.pem
holds "a root signed itself" '$c->{self_signed} && $c->{ca} &&
    $c->{basic_constraints}{critical}'
run cert show --json constrained.pem
holds "name constraints" '@{$c->{name_constraints}{permitted}} > 0'

# --- text

run cert show good.pem
[ "$rc" -eq 0 ] && [ "$(wc -l <out)" -le 24 ] && [ "$(wc -L <out)" -le 80 ]
ok $? "a normal certificate fits a screen of 80 by 24"
grep -q '^0  CN=app.test' out && grep -q '^1  CN=Test Inter' out &&
    grep -q 'app.test  \*.wild.test' out && grep -q 'days left' out
ok $? "with names, lifetime, issuer"
run cert show -v good.pem
[ "$rc" -eq 0 ] && grep -q 'basicConstraints (critical)' out &&
    grep -q 'SHA-1' out
ok $? "-v shows extensions and digests"
run cert show expired.pem
grep -q 'EXPIRED' out
ok $? "an expired one says so"
run cert show future.pem
grep -q 'NOT YET VALID' out
ok $? "one that is not valid yet says so"
run cert show --color always good.pem
esc=$(printf '\033')
grep -q "$esc\[32m" out
ok $? "--color always"
run cert show good.pem
! grep -q "$esc" out
ok $? "no colour into a file"

# --- from anywhere

"$tlsock" cert show - <good.pem >out 2>err
[ $? -eq 0 ] && grep -q '^0  CN=app.test' out
ok $? "standard input"
"$tlsock" cert show - <good.der >out 2>err
[ $? -eq 0 ] && grep -q '^0  CN=app.test' out
ok $? "DER on standard input"
"$tlsock" cert show - <good.key.der >out 2>err
[ $? -eq 0 ] && grep -q '^private key  ECDSA P-256' out
ok $? "a DER key on standard input"
run cert show "pem:$(cat good.pem)"
ok "$rc" "PEM text after pem:"
run cert show --pem good.pem
cmp -s out good.pem
ok $? "--pem prints exactly the certificates"
run cert show --pem good-both.pem
! grep -q PRIVATE out
ok $? "and never a key"
mkfifo pipe
cat good.pem >pipe &
run cert show pipe
ok "$rc" "a pipe, which can be read only once"
serve --cert good.pem --key good.key
run cert show "127.0.0.1:$port"
[ "$rc" -eq 0 ] && grep -q '^1  CN=Test Inter' out
ok $? "a server, which nobody vouches for here"
run cert show --name app.test "https://127.0.0.1:$port/"
ok "$rc" "a URL"
run cert diff good.pem "127.0.0.1:$port"
ok "$rc" "cert diff: the server has what is in the file"
run cert match "127.0.0.1:$port" good.key
ok "$rc" "cert match: the server's key"
stop

# --- what is no certificate

run cert csr --out req request.test
if [ "$rc" -eq 0 ]; then
    run cert show req.csr
    [ "$rc" -eq 0 ] && grep -q '^signing request  CN=request.test' out
    ok $? "a signing request"
    run cert show --json req.csr
    holds "in JSON" '$o->{kind} eq "request" &&
        $o->{requests}[0]{schema} eq "tlsock.csr/1"'
fi
run cert show inter.crl
[ "$rc" -eq 0 ] && grep -q '^revocation list  of CN=Test Inter' out
ok $? "a revocation list"
run cert show -v inter.crl.der
[ "$rc" -eq 0 ] && grep -Eq '^    [0-9a-f]+  20' out
ok $? "in DER, with -v each entry"
run cert show --json inter.crl
holds "in JSON" '$o->{kind} eq "crl" && $o->{crls}[0]{revoked_count} >= 1'
run cert show good.key
[ "$rc" -eq 0 ] && grep -q "$(openssl pkey -in good.key -pubout -outform DER |
    openssl dgst -sha256 | sed 's/.*= //')" out
ok $? "a private key is shown by its pin"
! grep -q 'PRIVATE KEY' out
ok $? "and by nothing that is secret"
run cert show good.enc.key
refused "an encrypted key without its password" 6 password encrypted pass
run cert show good.enc.key --pass file:password.txt
[ "$rc" -eq 0 ] && grep -q 'encrypted' out
ok $? "and with it"
cat good.pem good.enc.key >sealed.pem
run cert show sealed.pem
[ "$rc" -eq 0 ] && grep -q 'encrypted (--pass' out
ok $? "a certificate is shown though its key is encrypted"
cat good.pem client.key >wrong.pem
run cert show wrong.pem
[ "$rc" -eq 0 ] && grep -q "NOT this certificate's" out
ok $? "a key that is another's is told"
openssl pkey -in good.key -pubout >public.pem 2>log
run cert show public.pem
refused "a public key alone" 6 own-file "public key" "certificate"
run cert show nothing.pem
refused "a file that is not there" 6 own-file "nothing.pem" "path"
run cert show .
refused "a directory" 6 own-file "directory" "file in it"
run cert show no-such-host.invalid
refused "a host that is not there" 3 resolve "no-such-host" "no file"
run cert show --pem good.key
refused "--pem of a key" 6 own-file "private key" "pem"
run cert show -
refused "nothing on standard input" 6 own-file "empty" "PEM"
run cert show good.pem nothing.pem root.pem
[ "$rc" -eq 6 ] && grep -q '^root.pem' out && grep -q '^0  CN=Test Root' out
ok $? "several: the others are shown, the exit code is the first fault's"

# --- hostile text

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout evil.key -out evil.pem -utf8 \
    -subj "/CN=a$(printf '\033')[31mb/O=$(printf '\342\200\256')x" >log 2>&1
run cert show -v evil.pem
[ "$rc" -eq 0 ] && ! grep -q "$esc" out && grep -q '\\1B' out
ok $? "control characters in a name do not reach the terminal"
run cert show --json evil.pem
holds "nor what turns text around" '$c->{subject_parts}[1]{value} =~ /\\xe2/'

# --- diff

run cert diff good.pem good.pem
[ "$rc" -eq 0 ] && grep -q 'the same certificate' out
ok $? "cert diff: the same"
run cert diff good.pem good.der
[ "$rc" -eq 1 ] && grep -q '^chain' out && ! grep -q '^serial' out
ok $? "the same without its chain: exit 1, and only that"
run cert diff good.pem good-rsa.pem
[ "$rc" -eq 1 ] && grep -q '^  - ECDSA P-256' out && grep -q '^  + RSA' out
ok $? "another key"
run cert diff --json good.pem must-staple.pem
holds "in JSON" '$o->{schema} eq "tlsock.cert-diff/1" && !$o->{same} &&
    !$o->{same_key} && (grep { $_->{field} eq "extensions" &&
        $_->{added}[0] =~ /tlsfeature|TLS/i } @{$o->{differences}})'
run cert diff -q good.pem good-rsa.pem
[ "$rc" -eq 1 ] && [ ! -s out ]
ok $? "-q: the exit code alone"
cat good-leaf.pem root.pem inter.pem >a.pem
cat good-leaf.pem inter.pem root.pem >b.pem
run cert diff a.pem b.pem
[ "$rc" -eq 1 ] && grep -q '^chain: in another order' out
ok $? "a chain in another order"
run cert diff good.pem good.key
refused "a key cannot be compared" 6 own-file "private key" "certificate"
run cert diff good.pem
[ "$rc" -eq 2 ]
ok $? "one certificate alone is a usage error"

# --- match

run cert match good.pem client.pem client.key good.key
[ "$rc" -eq 0 ] && grep -q '^good.pem .*key  good.key' out &&
    grep -q '^client.pem .*key  client.key' out
ok $? "cert match: each finds its key, in any order"
run cert match good.pem client.pem good.key ip.key
[ "$rc" -eq 1 ] && grep -q '^client.pem .*NO KEY' out &&
    grep -q '^ip.key .*none of them' out
ok $? "no key for one, a key for none: exit 1"
run cert match good.pem good.enc.key
[ "$rc" -eq 1 ] && grep -q 'not read' out
ok $? "an encrypted key is said to be one"
run cert match good.pem good.enc.key --pass file:password.txt
ok "$rc" "with its password it fits"
"$tlsock" cert match good.pem client.pem good.enc.key good.p12 client.key \
    --pass fd:5 5<password.txt >out 2>err </dev/null
ok $? "a password from a descriptor serves for several files"
run cert match good-both.pem
ok "$rc" "certificate and key in one file"
if [ -f req.csr ]; then
    run cert match req.csr req.key
    [ "$rc" -eq 0 ] && grep -q 'request' out
    ok $? "a signing request has a key too"
fi
run cert match --json good.pem ip.key
holds "in JSON" '$o->{schema} eq "tlsock.cert-match/1" && !$o->{complete} &&
    !@{$o->{certificates}[0]{keys}} && $o->{keys}[0]{file} eq "ip.key"'
run cert match good.key
refused "keys alone" 2 usage "only private keys" "certificate"
run cert match good.pem nothing.pem good.key
[ "$rc" -eq 6 ] && grep -q '^good.pem .*key  good.key' out
ok $? "a file that is not there: the others are matched, exit 6"
run cert match inter.crl good.pem
refused "a revocation list has no key" 6 own-file "revocation list" "certificates"
finish
