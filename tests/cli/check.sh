#!/bin/sh
# check: every finding from a server that has it, and none from one that has
# not; verdict, exit codes, JSON by its schema, HTML, the chain it writes.
. "$(dirname "$0")/lib.sh"
schema=${CHECK_SCHEMA:?set CHECK_SCHEMA to the schema of check}
man=${CHECK_MAN:?set CHECK_MAN to the page of check}
hosts_lib=${TLSOCK_HOSTS_LIB:?set TLSOCK_HOSTS_LIB to hosts.so}
make_pki || { cat "$dir/pki.log"; echo "Bail out! no PKI"; exit 1; }
cd "$dir" || exit 1
p=pki
: >codes

s_server() { # ARGS...
    start 'ACCEPT 127.0.0.1:([0-9]+)' openssl s_server -accept 127.0.0.1:0 -rev "$@"
}
as() { # NAME ARGS...: a certificate of the zoo, its chain behind it
    n=$1
    shift
    sed '1,/END CERT/d' "$p/$n.pem" >"$n.chain"
    set -- -cert "$p/$n.pem" -key "$p/${n%-leaf}.key" "$@"
    [ ! -s "$n.chain" ] || set -- -cert_chain "$n.chain" "$@"
    s_server "$@"
}
to() { # ARGS...: check it as app.test, trusting the zoo's root
    run check --ca "$p/root.pem" --ip 127.0.0.1 "$@" "app.test:$port"
}
# NAME EXIT REGEX...: all of them are there, those that begin with ! are not
found() {
    name=$1 want=$2
    shift 2
    good=0
    [ "$rc" -eq "$want" ] || good=1
    for regex in "$@"; do
        case $regex in
        !*) ! grep -Eq "${regex#!}" out || good=1 ;;
        *) grep -Eq "$regex" out || good=1 ;;
        esac
    done
    awk '/^(ERROR|WARN |note ) /{ print $2 }' out >>codes
    ok "$good" "$name"
}
json() { # NAME EXPR of $o, with %f: its findings by code
    perl "$here/schema.pl" "$schema" "$2" codes <out >log
    ok $? "$1"
}

# What openssl s_server offers by itself: since 3.5 more than X25519.
if openssl list -kem-algorithms 2>/dev/null | grep -q X25519MLKEM768; then
    pq=1 groups='X25519MLKEM768 \(post-quantum\) X25519 P-256'
    pq_note='!^note  not-post-quantum'
else
    pq=0 groups='X25519 P-256' pq_note='^note  not-post-quantum'
fi

# --- what is good

s_server -cert $p/good-leaf.pem -cert_chain $p/inter.pem -key $p/good.key
to
found "a good server" 0 \
    "^app.test:$port  ok  [0-9]+ notes  \\(1 address, [0-9]+ connections, [0-9.]+ s\\)\$" \
    '!^(ERROR|WARN)' '^ok    chain  .*app.test < Test Intermediate CA < Test Root' \
    '^ok    name              matches app.test' '^ok    expiry' \
    '^ok    protocols         TLSv1.3 TLSv1.2; off: TLSv1.1 TLSv1.0 SSLv3$' \
    "^ok    key exchange      $groups" '^ok    resumption  .*ticket' \
    "$pq_note" '^      fix '
[ "$(sed -n 2p out)" = '' ] && awk '/^(ERROR|WARN |note |ok ) /{
    s = $1 == "ERROR" ? 4 : $1 == "WARN" ? 3 : $1 == "note" ? 2 : 1
    if (last && s > last) exit 1; last = s }' out
ok $? "the verdict first, then worst first"
! grep -q "$(printf '\033')" out && [ ! -s err ]
ok $? "no colour without a terminal, nothing on stderr"
to --color always
grep -q "$(printf '\033')\[32mok" out
ok $? "colour if wanted"
to --fail-on note
found "--fail-on note" 1 'NOT OK'
to --fail-on warning
found "--fail-on warning" 0
to -q
[ "$rc" -eq 0 ] && [ ! -s out ] && [ ! -s err ]
ok $? "-q: nothing to say of what is good"
to -v
found "-v: each suite" 0 '^TLSv1.3  TLS_AES' '^TLSv1.2  TLS_ECDHE' '^address'
grep -q TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 out && ! grep -q insecure err
ok $? "and how it looked is no warning"
to --json --tls 1.2-
json "--json" '$o->{ok} && $o->{errors} == 0 && $o->{server} =~ /^app.test:/ &&
    $o->{protocols}{"TLSv1.3"} && !$o->{protocols}{"TLSv1.1"} &&
    $o->{addresses}[0]{verified} && $o->{client_certificate} eq "none" &&
    $o->{ciphers}{"TLSv1.3"}{suites}[0]{strength} eq "good" &&
    !!$o->{post_quantum} == !!'$pq' && $o->{resumption}{"TLSv1.3"} eq "ticket" &&
    (join " ", map { $_->{state} } @{$o->{chain}}) eq "sent sent trusted" &&
    @{$o->{certificates}} == 2 && $f{name}[0]{level} eq "ok" &&
    $o->{connections} < 60'
run check --ca $p/root.pem --ip 127.0.0.1 --name foo.test "app.test:$port"
found "another name" 1 '^ERROR name-mismatch .*foo.test' \
    '^      affects  everybody' '^      fix  .*--name'
run check --ca $p/root.pem "127.0.0.1:$port"
found "an address as the name" 0 '^ok    name  .*127.0.0.1'
run check --ca $p/root.pem --verify-name app.test "127.0.0.1:$port"
found "--verify-name" 0 '^ok    name  .*app.test' '^ok    chain'
run check --ca $p/root.pem --verify-name no.test "127.0.0.1:$port"
found "--verify-name of another" 1 '^ERROR name-mismatch' '^ok    chain'
pin=$("$tlsock" fingerprint --only pin $p/good-leaf.pem)
run check --ca $p/root2.pem --pin "$pin" --ip 127.0.0.1 "app.test:$port"
found "a pin stands in for the chain" 0 '^ok    chain  .*accepted for itself'
run check --ca $p/root.pem -o pin.mode=require --pin "sha256:$(printf '%064d' 1)" \
    --ip 127.0.0.1 "app.test:$port"
found "a pin that does not fit" 1 '^ERROR pin '

# --- the chain

run check --ca $p/root2.pem --no-aia --ip 127.0.0.1 "app.test:$port"
found "an unknown CA" 1 \
    '^ERROR chain-incomplete .*"Test Root CA" is neither sent nor trusted' \
    '^        sent     0  app.test  *issued by Test Intermediate CA' \
    '^        MISSING  2  Test Root CA' '!^ok    chain'
stop
mkdir www
openssl x509 -in $p/inter.pem -outform DER -out www/inter.der
cp $p/root.pem www
start 'ready ([0-9]+)' perl "$here/http_files.pl" www
web=http://127.0.0.1:$port
openssl req -new -key $p/good.key -subj /CN=app.test -out aia.csr 2>log
{
    echo 'subjectAltName=DNS:app.test'
    echo 'keyUsage=critical,digitalSignature'
    echo 'extendedKeyUsage=serverAuth'
    echo 'basicConstraints=critical,CA:FALSE'
} >ext
issue() { # NAME URL [openssl args]
    n=$1
    { cat ext; echo "authorityInfoAccess=caIssuers;URI:$2"; } >"$n.ext"
    shift 2
    openssl x509 -req -in aia.csr -CA $p/inter.pem -CAkey $p/inter.key \
        -extfile "$n.ext" -out "$n.pem" -days 60 "$@" >log 2>&1
}
if "$tlsock" version | grep -q '+curl'; then
    issue aia "$web/inter.der"
    s_server -cert aia.pem -key $p/good.key
    to --write-chain full.pem
    found "an intermediate is missing, and found" 1 \
        "^ERROR chain-incomplete  the server does not send the intermediate \"Test Intermediate CA\"\$" \
        '^        sent     0  app.test             issued by Test Intermediate CA$' \
        "^        MISSING  1  Test Intermediate CA issued by Test Root CA, $web/inter.der\$" \
        '^        trusted  2  Test Root CA         trusted by --ca$' \
        '^      affects  .*curl' "^      fix  .*tlsock check app.test:$port --write-chain"
    openssl verify -CAfile $p/root.pem -untrusted full.pem full.pem >log 2>&1 &&
        [ "$(grep -c 'BEGIN CERT' full.pem)" -eq 2 ] &&
        openssl x509 -in full.pem 2>log | cmp -s - aia.pem
    ok $? "--write-chain writes what should be sent"
    sum=$(cksum full.pem)
    to --write-chain full.pem
    [ "$rc" -eq 6 ] && grep -q 'own-file' err && [ "$sum" = "$(cksum full.pem)" ]
    ok $? "but not over what is there"
    to --write-chain full.pem --force
    [ "$rc" -eq 1 ]
    ok $? "unless --force says so"
    to --json
    json "in JSON" '$f{"chain-incomplete"}[0]{level} eq "error" && !$o->{ok} &&
        (join " ", map { $_->{state} } @{$o->{chain}}) eq
            "sent missing trusted" && $o->{chain}[1]{found_at} =~ /inter.der$/'
    to --no-aia
    found "--no-aia fetches nothing" 1 'chain-incomplete.*--no-aia' \
        '^        MISSING  1  Test Intermediate CA not found$'
    run check --ca $p/root2.pem --ip 127.0.0.1 "app.test:$port"
    found "found, and its root is not trusted" 1 \
        '^ERROR chain-incomplete .*does not send' \
        '^        MISSING  1  Test Intermediate CA issued by Test Root CA, http' \
        '^        MISSING  2  Test Root CA'
    stop
    issue gone "$web/nothing-here"
    s_server -cert gone.pem -key $p/good.key
    to --write-chain none.pem
    [ "$rc" -eq 6 ] && [ ! -e none.pem ] && grep -q 'could not be completed' err
    ok $? "what cannot be completed is not written"
    found "and it is told why" 6 '^ERROR chain-incomplete .*404'
    stop
else
    skip "AIA" "built without libcurl"
fi
while read -r bad code line; do
    as "$bad" && to
    found "$bad" "$code" "$line" '!^(ok    expiry .*EXPIRED|ERROR closed)'
    stop
done <<'END'
good-rsa 0 ^ok    chain
expired 1 ^ERROR expired
future 1 ^ERROR not-yet-valid
below-expired 1 ^ERROR expired
self-signed 1 ^ERROR untrusted-root
other-root 1 ^ERROR (untrusted-root|chain-incomplete)
wrong-purpose 1 ^ERROR purpose
wrong-name 1 ^ERROR name-mismatch
no-san 1 ^ERROR name-mismatch
unknown-critical 1 ^ERROR cert-invalid
must-staple 1 ^ERROR must-staple
END
for bad in sha1 rsa1024; do
    as $bad -cipher ECDHE:@SECLEVEL=0 && to
    found "$bad" 1 '^ERROR weak ' '^ERROR (signature-weak|key-rsa-small)'
    stop
done
cat $p/inter-rsa.pem $p/inter.pem $p/root.pem >extra.chain
s_server -cert $p/good-leaf.pem -key $p/good.key -cert_chain extra.chain
to
found "strangers and the root" 0 '^note  chain-extra .*"Test RSA CA"' \
    '^note  chain-root .*"Test Root CA"' '!chain-order' '^ok    chain'
to --json
json "in JSON" '(join " ", map { $_->{state} } @{$o->{chain}}) eq
    "sent sent trusted extra"'
stop
for n in 1 2 3; do openssl x509 -in $p/sub$n.pem; done >order.chain
openssl x509 -in $p/deep.pem >deep-leaf.pem
s_server -cert deep-leaf.pem -key $p/deep.key -cert_chain order.chain
to --write-chain order.pem
found "a chain in disorder" 0 '^WARN  chain-order' '^ok    chain' '!chain-extra'
cmp -s order.pem $p/deep.pem
ok $? "and written in order"
stop
as deep && to && found "the same in order" 0 '!chain-order' '^ok    chain'
stop
began=$(($(date +%s) - 86400 * 40))
mkdir demo && : >demo/index && echo 01 >demo/serial
cat >demo/ca.conf <<END
[ca]
default_ca = d
[d]
database = demo/index
serial = demo/serial
new_certs_dir = demo
certificate = $p/inter.pem
private_key = $p/inter.key
default_md = sha256
policy = any
[any]
commonName = supplied
END
openssl ca -config demo/ca.conf -batch -notext -in aia.csr -out soon.pem \
    -extfile ext -startdate "$(date -u -d @$began +%Y%m%d%H%M%SZ)" \
    -enddate "$(date -u -d '+3 days' +%Y%m%d%H%M%SZ)" >log 2>&1
s_server -cert soon.pem -key $p/good.key -cert_chain $p/inter.pem
to
found "one that expires soon" 0 '^WARN  expires-soon' '!^ok    expiry'
to --fail-on warning
found "--fail-on warning" 1 'NOT OK'
to --fail-on warning -q
found "-q: that and no more" 1 'NOT OK' '^WARN  expires-soon' '!^(note|ok)'
stop

# --- revocation

as revoked
to --crl $p/inter.crl
found "revoked, says the CRL" 1 '^ERROR revoked '
to
found "who does not ask does not learn" 0 '!^ERROR'
stop
as good
to --crl $p/inter.crl --crl $p/root.crl
found "not revoked, says the CRL" 0 '^ok    revocation .*CRL'
to --revocation hard
found "nobody could tell" 1 '^ERROR revocation-unknown'
to --revocation soft
found "nobody could tell, softly" 0 '^WARN  revocation-unknown'
stop
issue ocsp "$web/x"
sed 's/caIssuers;URI:.*/OCSP;URI:http:\/\/127.0.0.1:9\//' ocsp.ext >ocsp2.ext
openssl x509 -req -in aia.csr -CA $p/inter.pem -CAkey $p/inter.key \
    -extfile ocsp2.ext -out ocsp.pem -days 1000 >log 2>&1
serial=$(openssl x509 -in ocsp.pem -noout -serial | sed 's/.*=//')
printf 'V\t991231235959Z\t\t%s\tunknown\t/CN=app.test\n' "$serial" >index
openssl ocsp -issuer $p/inter.pem -cert ocsp.pem -reqout req.der -no_nonce \
    >log 2>&1
openssl ocsp -reqin req.der -index index -CA $p/inter.pem -rsigner $p/inter.pem \
    -rkey $p/inter.key -respout resp.der -ndays 1 >log 2>&1
s_server -cert ocsp.pem -key $p/good.key -cert_chain $p/inter.pem \
    -status_file resp.der
to
found "a staple" 0 '^ok    staple' '^ok    revocation .*staple' '!no-staple'
stop
s_server -cert ocsp.pem -key $p/good.key -cert_chain $p/inter.pem
to
found "no staple; valid for too long" 0 '^note  no-staple' '!^ok    staple' \
    '^WARN  validity-too-long'
stop
# s_server of OpenSSL 3.6 has qualms about it
serve --misbehave staple-other --pki $p
to
found "another one's staple" 1 '^ERROR staple .*another certificate'
stop

# --- versions, suites, groups

id="-cert $p/good-rsa.pem -key $p/good-rsa.key -cert_chain $p/inter-rsa.pem"
s_server $id -cipher ALL:@SECLEVEL=0 -min_protocol TLSv1 -serverpref
to --json
json "old versions, anonymous suites" '
    $f{"protocol-old"}[0]{text} =~ /TLSv1.1 TLSv1.0/ &&
    $f{"cipher-broken"}[0]{level} eq "error" &&
    $f{"no-forward-secrecy"}[0]{level} eq "note" &&
    $o->{protocols}{"TLSv1.0"} && !$o->{protocols}{SSLv3} &&
    $o->{ciphers}{"TLSv1.2"}{order} eq "server" && !$f{"dh-weak"} &&
    $o->{dh_bits} >= 2048'
openssl ciphers -tls1_2 -s -stdname 'ALL:@SECLEVEL=0' | grep -v PSK |
    awk '/TLSv1.2|SSLv3|TLSv1 / && /Au=(RSA|None)/ { print $1 }' | sort >want
perl -MJSON::PP -0ne 'print "$_->{name}\n"
    for @{decode_json($_)->{ciphers}{"TLSv1.2"}{suites}}' out | sort >got
[ "$(wc -l <got)" -gt 40 ] && diff want got >log
ok $? "all that openssl offers is found, and no other"
stop
s_server $id -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256 -groups P-384:X25519
to --json
json "one suite, two groups" '$f{"no-tls13"} && @{$o->{groups}} == 2 &&
    !$f{"no-forward-secrecy"} && !$f{"cipher-broken"} &&
    (join " ", sort @{$o->{groups}}) eq "P-384 X25519" &&
    @{$o->{ciphers}{"TLSv1.2"}{suites}} == 1 && !$o->{protocols}{"TLSv1.3"} &&
    !defined $o->{ciphers}{"TLSv1.2"}{order}'
stop
as good -tls1_2 -groups P-384:P-256:X25519
to --json
json "groups beside the curve of the certificate" '
    (join " ", sort @{$o->{groups}}) eq "P-256 P-384 X25519"'
stop
s_server $id -tls1_2 -cipher AES128-SHA:@SECLEVEL=0
to
found "RSA key exchange alone" 1 '^WARN  no-forward-secrecy' \
    '^ERROR no-common-parameters'
stop
s_server $id -tls1_1 -cipher ALL:@SECLEVEL=0
to
found "nothing newer than TLSv1.1" 1 '^ERROR version-unsupported' \
    '^WARN  protocol-old' '^ok    protocols         TLSv1.1; off: TLSv1.3'
stop
cat >dh.conf <<'END'
asn1 = SEQUENCE:dh
[dh]
p = INTEGER:0xFFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF
g = INTEGER:2
END
openssl asn1parse -genconf dh.conf -noout -out dh.der >log 2>&1 &&
    openssl dhparam -inform DER -in dh.der -out dh.pem >log 2>&1
s_server $id -tls1_2 -dhparam dh.pem -cipher 'DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0'
to
found "a Diffie-Hellman group of 1024 bits" 1 '^ERROR dh-weak .*1024 bits'
stop
as good -num_tickets 0 -no_ticket -no_cache
to
found "no resumption" 0 '^note  no-resumption' '!^ok    resumption'
stop
as good -tls1_2 -no_ticket
to
found "by session id" 0 '^ok    resumption        TLSv1.2: id$'
stop
as good -Verify 1 -CAfile $p/root.pem
to
found "a client certificate is wanted" 0 \
    '^note  client-cert-required .*Test Root CA' '!no-resumption' '^ok    chain'
to --cert $p/client.pem --key $p/client.key
found "and given" 0 '!client-cert' '^ok    resumption'
stop
as good -Verify 1 -CAfile $p/root.pem -tls1_2
to --json
json "in TLS 1.2" '$o->{client_certificate} eq "required" &&
    $f{"client-cert-required"}[0]{level} eq "note" && $o->{errors} == 0'
stop
as good -Verify 1 -verify_return_error
to --cert $p/client-other-root.pem --key $p/client-other-root.key
found "one of another CA" 1 '^ERROR client-cert-required .*unknown CA' \
    '^ok    chain'
stop
serve --cert $p/good.pem --key $p/good.key --client-auth require \
    --ca $p/root.pem --allow dns:nobody.test
to --cert $p/client.pem --key $p/client.key
found "one that may not come in" 1 '^ERROR client-cert-denied' '^ok    chain'
stop
as good -verify 1 -CAfile $p/root.pem
to
found "it is asked for, and can be left out" 0 \
    '^ok    client cert requested .*Test Root CA'
stop
s_server -cert $p/wrong-name.pem -key $p/wrong-name.key -servername app.test \
    -cert2 $p/good-leaf.pem -key2 $p/good.key -cert_chain $p/inter.pem
to --ca $p/inter.pem
found "without SNI another certificate" 0 '^note  sni-differs'
stop
s_server -cert $p/good-leaf.pem -key $p/good.key -cert_chain $p/inter.pem \
    -cert2 $p/good-leaf.pem -key2 $p/good.key -servername app.test \
    -servername_fatal
to --ca $p/inter.pem
found "without SNI the same" 0 '!sni-'
stop
cat >sni.pl <<'END'
use IO::Socket::SSL;
$SIG{PIPE} = 'IGNORE';
my ($cert, $key) = @ARGV;
my $l = IO::Socket::SSL->new(Listen => 8, LocalAddr => '127.0.0.1:0',
    SSL_server => 1, SSL_startHandshake => 0, SSL_cert_file => {'app.test' => $cert},
    SSL_key_file => {'app.test' => $key}) or die $SSL_ERROR;
$| = 1;
print 'port ', $l->sockport, "\n";
while (1) {
    my $c = $l->accept or next;
    $c->accept_SSL and sysread($c, my $b, 100);
    close $c;
}
END
start 'port ([0-9]+)' perl sni.pl $p/good.pem $p/good.key
to
found "no certificate without SNI" 0 '^note  sni-required' '^ok    chain'
stop
as good -alpn h2,http/1.1
run check --ca $p/root.pem --ip 127.0.0.1 "https://app.test:$port"
found "ALPN" 0 '^ok    alpn              h2' '!no-alpn'
stop
as good
run check --ca $p/root.pem --ip 127.0.0.1 "https://app.test:$port"
found "no ALPN" 0 '^note  no-alpn'
to
found "is nothing to other protocols" 0 '!alpn'
stop

# --- what no library does any more, or not yet

by_hand() { # KEY=VALUE...
    start 'port ([0-9]+)' perl "$here/hello.pl" "$@" && to --json
}
by_hand versions=0300,0303 suites=000a,0005,002f,c02f compression=1
json "SSLv3, 3DES, RC4, compression" '
    $f{"protocol-broken"}[0]{level} eq "error" &&
    $f{"cipher-weak"}[0]{rows}[0]{text} =~ /3DES/ &&
    $f{"cipher-broken"}[0]{rows}[0]{text} =~ /RC4/ && $f{"compression"} &&
    $f{"closed-in-handshake"} && $o->{protocols}{SSLv3} &&
    !$f{"renegotiation-insecure"}'
found "an error each" 1
stop
by_hand versions=0303 suites=c02f
json "its twin" '!$f{"protocol-broken"} && !$f{"cipher-weak"} &&
    !$f{"cipher-broken"} && !$f{compression} && !$f{"renegotiation-insecure"} &&
    !$f{"no-extended-master-secret"}'
stop
by_hand versions=0303 suites=c02f,c030
json "two suites in the order of the server" '
    @{$o->{ciphers}{"TLSv1.2"}{suites}} == 2 &&
    $o->{ciphers}{"TLSv1.2"}{order} eq "server"'
stop
by_hand versions=0303 suites=c02f,c030 odd=009c
json "a server that takes what was not offered has no order" '
    @{$o->{ciphers}{"TLSv1.2"}{suites}} == 2 &&
    !defined $o->{ciphers}{"TLSv1.2"}{order}'
stop
by_hand versions=0303 suites=c02f bare=1
json "no secure renegotiation, no extended master secret" '
    $f{"renegotiation-insecure"}[0]{level} eq "error" &&
    $f{"no-extended-master-secret"}[0]{level} eq "note"'
stop
by_hand versions=0304 suites=1301,1303 groups=11ec,001d,0017
json "X25519MLKEM768, whatever OpenSSL is here" '$o->{post_quantum} &&
    !$f{"not-post-quantum"} && $o->{groups}[0] eq "X25519MLKEM768" &&
    "@{$o->{groups}}" eq "X25519MLKEM768 X25519 P-256" &&
    $f{"key-exchange"}[0]{text} =~ /^X25519MLKEM768 \(post-quantum\) X25519/ &&
    @{$o->{ciphers}{"TLSv1.3"}{suites}} == 2'
stop
start 'port ([0-9]+)' perl "$here/hello.pl" versions=0303 suites=c02f silent=6
to --timeout 300ms --json
json "one that falls silent" '$f{"probe-incomplete"} &&
    !defined $o->{protocols}{SSLv3} && $o->{protocols}{"TLSv1.2"}'
stop

as good
direct=$port
for what in tls13 sni; do
    start 'port ([0-9]+)' perl "$here/intolerant.pl" "$direct" $what
    to
    found "intolerance of $what" 1 '^ERROR intolerant .*closed-in-handshake' \
        '^ok    chain' '^ok    name' '^ok    key exchange'
    stop
done
start 'port ([0-9]+)' perl "$here/intolerant.pl" "$direct" nothing
to --tls 1.2
found "its twin" 0 '!intolerant' '^ok    protocols         TLSv1.3 TLSv1.2'
stop

# --- several addresses

twins() { # NAME ARGS-OF-THE-SECOND... (ARGS of check in $with)
    hosts="two.test=127.0.0.1,127.0.0.2 far.test=127.0.0.1,224.0.0.1 many.test=127.0.0.1"
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
        hosts="$hosts,127.0.1.$i"
    done
    ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
        TLSOCK_HOSTS="$hosts" LD_PRELOAD="$hosts_lib" timeout 60 \
        "$tlsock" check --ca $p/root.pem --name app.test "$@" \
        >out 2>err </dev/null
    rc=$?
}
second() { # ARGS...: on 127.0.0.2, the same port
    first=$server both=$port
    start '(ACCEPT)' openssl s_server -accept "127.0.0.2:$both" -rev "$@"
    port=$both
}
as good
twins "two.test:$port"
found "nobody at the second address" 1 \
    '^ERROR ip-unreachable .*127.0.0.2' '2 addresses' '^ok    name'
twins "far.test:$port"
found "an address that nothing leads to from here" 0 \
    '^note  ip-no-route .*224.0.0.1' '!ip-unreachable'
second -cert $p/good-leaf.pem -key $p/good.key -cert_chain $p/inter.pem
twins "two.test:$port"
found "two that are the same" 0 '!ip-' '2 addresses'
stop
second -cert $p/good-rsa.pem -key $p/good-rsa.key -cert_chain $p/inter-rsa.pem \
    -tls1_2
twins "two.test:$port" --json
json "another certificate, other versions" '@{$f{"ip-differs"}} == 2 &&
    $f{"ip-differs"}[0]{level} eq "warning" && @{$o->{addresses}} == 2 &&
    $f{"ip-differs"}[0]{text} =~ /127.0.0.2.*another certificate/ &&
    $f{"ip-differs"}[1]{text} =~ /speaks TLSv1.2, but .* TLSv1.3 TLSv1.2/'
stop
second -cert $p/expired.pem -key $p/expired.key -cert_chain $p/inter.pem
twins "two.test:$port"
found "an expired one at the second" 1 \
    '^ERROR ip-differs .*127.0.0.2:.* is refused: expired, but .* is good'
stop
server=$first
stop
start 'ACCEPT .*:([0-9]+)' openssl s_server -accept 0.0.0.0:0 -rev \
    -cert $p/good-leaf.pem -key $p/good.key -cert_chain $p/inter.pem
twins "many.test:$port"
found "more than are looked at" 0 '^note  ip-many .*2 more' '16 addresses'
stop

# --- by which way

serve --cert $p/good.pem --key $p/good.key --starttls smtp
run check --ca $p/root.pem --ip 127.0.0.1 "smtp://app.test:$port"
found "STARTTLS by URL" 0 "^app.test:$port STARTTLS smtp  ok" \
    '^ok    protocols         TLSv1.3 TLSv1.2; off' '^ok    key exchange'
to --starttls smtp --json
json "--starttls" '$o->{starttls} eq "smtp" && $o->{ciphers}{"TLSv1.2"}'
stop
serve --cert $p/good.pem --key $p/good.key
direct=$port
start 'port ([0-9]+)' perl "$here/proxy.pl" http
run check --ca $p/root.pem --proxy "http://127.0.0.1:$port" --name app.test \
    "127.0.0.1:$direct"
found "through a proxy" 0 '^ok    protocols         TLSv1.3 TLSv1.2; off' \
    '^ok    resumption'
stop
serve_unix() {
    rm -f "$dir/port"
    mkfifo "$dir/port"
    "$tlsock" serve "unix:$dir/sock" --port-file "$dir/port" \
        --cert $p/good.pem --key $p/good.key >serve.out 2>log </dev/null &
    server=$!
    pids="$pids $server"
    timeout 30 cat "$dir/port" >/dev/null
}
serve_unix
run check --ca $p/root.pem --name app.test "unix:$dir/sock"
found "a UNIX socket" 0 '^unix:.*sock  ok' '^ok    name'
run check --ca $p/root.pem "unix:$dir/sock"
found "without a name" 0 '^note  no-name' '!^ERROR'
stop

# --- what cannot be looked at

run check "127.0.0.1:$(free_port)"
refused "nobody listens" 3 connect refused running
run check --json "nowhere.invalid"
[ "$rc" -eq 3 ] && grep -q '"schema":"tlsock.error/1"' out &&
    grep -q '"code":"resolve"' out
ok $? "a name that does not exist, in JSON"
start 'port ([0-9]+)' perl "$here/peer.pl" smtp
to
refused "no TLS there" 4 not-tls '220 mx.app.test' STARTTLS
stop
start 'port ([0-9]+)' perl "$here/peer.pl" silent
to --timeout 300ms
refused "silence" 7 timeout 'time is up' .
stop
start 'port ([0-9]+)' perl "$here/peer.pl" close
to
refused "closed at once" 4 closed-in-handshake closed .
stop
says() { # SLUG CAUSE-REGEX TEXT...: what a server says to smtp://
    slug=$1 cause=$2
    shift 2
    start 'port ([0-9]+)' perl "$here/peer_tls.pl" say "$@"
    run check --ca $p/root.pem --ip 127.0.0.1 "smtp://app.test:$port"
    refused "STARTTLS: $slug" 4 "$slug" "$cause" .
    stop
}
says starttls-unavailable . '220 mx ESMTP\r\n' '250-mx\r\n250 SIZE\r\n' \
    '221 bye\r\n'
says starttls-refused '454' '220 mx ESMTP\r\n' '250-mx\r\n250 STARTTLS\r\n' \
    '454 not now\r\n'
says injection . '220 mx ESMTP\r\n' '250-mx\r\n250 STARTTLS\r\n' \
    '220 go\r\n250 injected\r\n'
serve --cert $p/good.pem --key $p/good.key
run check --ca $p/root.pem --ip 127.0.0.1 --starttls smtp --timeout 500ms \
    "app.test:$port"
[ "$rc" -eq 4 ] || [ "$rc" -eq 7 ]
ok $? "no STARTTLS there"
to --insecure
refused "--insecure" 2 usage 'nothing to check' 'leave it out'
to --fail-on fatal
refused "--fail-on of no level" 2 usage fatal 'error, warning or note'
to --ca nowhere.pem
[ "$rc" -eq 6 ] && grep -q nowhere.pem err
ok $? "a trust store that is not there"
run check --html a.html a.test b.test
refused "one page for two" 2 usage 'one target' 'one target'
run check --ca $p/root.pem --ip 127.0.0.1 "app.test:$port" "app.test:1"
[ "$rc" -eq 3 ] && grep -q "^app.test:$port  ok" out && grep -q 'app.test:1: ' err
ok $? "several: the worst exit code"

# --- a policy

printf 'tls.min = 1.3\n' >strict.conf
to --policy strict.conf
found "a policy that is kept" 0 '^ok    name'
printf 'insecure = forbid\nrevocation = crl\n' >crl.conf
to --policy crl.conf --crl $p/inter.crl --crl $p/root.crl
found "one that wants lists, which are there, and forbids to look" 0 \
    '^ok    chain' '^ok    revocation .*CRL' '^ok    resumption' '^ok    ciphers'
to --policy crl.conf --crl $p/inter.crl --crl $p/root.crl --name foo.test
found "what it forbids to look at has its reason all the same" 1 \
    '^ERROR name-mismatch' '^ok    protocols'
stop
as good -tls1_2
to --policy strict.conf
found "one that the server does not keep" 1 '^ERROR version-unsupported' \
    'strict.conf:1'
to --policy nowhere.conf
[ "$rc" -ge 2 ] && grep -q nowhere.conf err
ok $? "a policy that is not there"
stop
printf 'trust = none\n' >none.conf
as good
run check --ip 127.0.0.1 --policy none.conf --accept self-signed "app.test:$port"
[ "$rc" -eq 8 ]
ok $? "what the policy refuses: exit 8"
stop

# --- hostile names, and the page

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
    -keyout bad.key -out bad.pem \
    -subj "/CN=<script>alert(1)<\\/script>\"'&$(printf '\033[31m')/O=\\\"onload=x" \
    -addext 'subjectAltName=DNS:app.test' >log 2>&1
ok $? "a certificate with a hostile name"
s_server -cert bad.pem -key bad.key
to --html page.html
found "in text" 1 '^ERROR untrusted-root' '<script>'
! grep -q "$(printf '\033')" out page.html && ! grep -qi '<script' page.html &&
    grep -q '&lt;script&gt;' page.html
ok $? "is escaped in text and HTML"
to --json
json "and in JSON" '$o->{chain}[0]{name} =~ /<script>/ &&
    $o->{chain}[0]{name} =~ /\\x1b/'
stop
s_server $id -cipher ALL:@SECLEVEL=0 -min_protocol TLSv1
run check --ca $p/root2.pem --no-aia --ip 127.0.0.1 --html big.html \
    "app.test:$port"
for page in page.html big.html; do
    page_stands_alone $page
    ok $? "$page loads nothing"
    page_is_xml $page
    ok $? "$page is well-formed"
done
[ "$(grep -c '<svg' big.html)" -eq 2 ] && grep -q '>missing<' big.html &&
    grep -q '>sent<' big.html && grep -q 'TLS_RSA_WITH_AES_128_CBC_SHA' big.html &&
    grep -q 'TLSv1.0' big.html
ok $? "the chain in boxes, suites and versions in a grid"
run check --ca $p/root.pem --ip 127.0.0.1 --html big.html "app.test:$port"
[ "$rc" -eq 6 ] && grep -q 'exists already' err
ok $? "a page is not overwritten"
stop

# --- the manual has each code, and each of its codes was seen here

sed -n '/^\.Ss Codes/,/^\.Sh/s/^\.It Li //p' "$man" | tr -d ',' | tr ' ' '\n' |
    grep . | sort -u >manual
sort -u codes >seen
# of DANE: tests/servers/dane.sh; others need what no server does unasked
printf '%s\n' alert connect dane dane-insecure dane-none dane-unmatched \
    dane-unusable policy protocol reset timeout | sort >elsewhere
comm -23 manual seen | comm -23 - elsewhere >log
[ "$(wc -l <manual)" -gt 50 ] && [ ! -s log ]
ok $? "each code of the manual was found in a server"
perl -ne 'print "$1\n" while /"([a-z][a-z0-9-]+)", LINT_[EWN]/g' \
    "$here"/../../src/cert/lint*.c | sort -u >lint
comm -23 seen manual | comm -23 - lint >log
[ "$(wc -l <lint)" -gt 100 ] && [ ! -s log ]
ok $? "and each that was found is in it, or lint's"
finish
