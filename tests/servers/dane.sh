#!/bin/sh
# DANE with a real DNS: zones signed by ldns, served by NSD, and libunbound in
# the tool, which gets the key of the zone and believes nothing else. What
# OpenSSL's and GnuTLS's tools say of the same records is held against it.
. "$(dirname "$0")/lib.sh"
need nsd ldns-keygen ldns-signzone openssl danetool

# A CA nobody trusts, and a certificate for the hosts of the zone.
ec='ec -pkeyopt ec_paramgen_curve:P-256'
openssl req -x509 -newkey $ec -nodes -keyout ca.key -out ca.pem -days 30 \
    -subj '/CN=Zone CA' -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,keyCertSign,cRLSign 2>log || give_up "no CA"
printf '%s\n' 'subjectAltName=DNS:*.dane.example,DNS:dane.example' \
    'basicConstraints=critical,CA:FALSE' 'extendedKeyUsage=serverAuth' \
    'keyUsage=critical,digitalSignature' 'subjectKeyIdentifier=hash' \
    'authorityKeyIdentifier=keyid' >ext
openssl req -new -newkey $ec -nodes -keyout leaf.key -out leaf.csr \
    -subj '/CN=zone' 2>log &&
    openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -days 30 \
        -extfile ext -out leaf.pem 2>log || give_up "no certificate"
cat leaf.pem ca.pem >chain.pem
spki() { # FILE HASH
    openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform DER |
        openssl dgst "-$2" -r | cut -d' ' -f1
}
key1=$(spki leaf.pem sha256) key2=$(spki leaf.pem sha512)
ca1=$(openssl x509 -in ca.pem -outform DER | openssl dgst -sha256 -r |
    cut -d' ' -f1)
wrong=$(printf '%064d' 7)

serve --cert "$dir/chain.pem" --key "$dir/leaf.key" || give_up "no server"
tls=$port tls_pid=$server
serve --cert "$dir/chain.pem" --key "$dir/leaf.key" --starttls smtp ||
    give_up "no SMTP server"
smtp=$port

record() { # HOST TLSA...
    name=$1
    shift
    printf '_%s._tcp.%s TLSA %s\n' "$tls" "$name" "$*"
    printf '_%s._tcp.%s TLSA %s\n' "$smtp" "$name" "$*"
}
head_of() { # ORIGIN
    printf '$ORIGIN %s.\n$TTL 300\n' "$1"
    printf '@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\n'
    printf 'ns A 127.0.0.1\n'
}
{
    head_of dane.example
    for h in ee other ta taname pkix none bogus many first unusable agile; do
        echo "$h A 127.0.0.1"
    done
    record ee "3 1 1 $key1"
    record other "3 1 1 $wrong"
    record ta "2 0 1 $ca1"
    record pkix "1 1 1 $key1"
    record bogus "3 1 1 $key1"
    record unusable "3 1 9 $key1"
    record agile "3 1 1 $key1"
    record agile "3 1 2 $wrong$wrong"
    record first "3 1 2 $key2"
    for i in 10 11 12 13 14 15 16 17 18 19; do
        for j in 0 1 2 3 4 5 6 7 8 9; do
            record many "3 1 1 $(printf '%064d' $i$j)"
        done
    done
    record many "3 1 1 $key1"
    echo 'alias CNAME ee'
    echo 'away CNAME host.plain'
    record away "3 1 1 $key1"
    echo 'plain NS ns'
} >dane.zone
{
    head_of plain.dane.example
    echo 'host A 127.0.0.1'
    record host "3 1 1 $key1"
} >plain.zone
{
    head_of old.example
    echo 'ee A 127.0.0.1'
    record ee "3 1 1 $key1"
} >old.zone

sign() { # ZONE FILE [ARGS...]
    zone=$1 file=$2
    shift 2
    ksk=$(ldns-keygen -r /dev/urandom -k -a ECDSAP256SHA256 "$zone") &&
        zsk=$(ldns-keygen -r /dev/urandom -a ECDSAP256SHA256 "$zone") &&
        ldns-signzone "$@" -o "$zone" "$file" "$zsk" "$ksk" >log 2>&1 ||
        give_up "$zone is not signed"
    cat "$ksk.ds" >>anchor
}
sign dane.example dane.zone
sign old.example old.zone -i 20200101 -e 20200201
# what the signature of these was not made for
sed "/^_$tls\\._tcp\\.bogus.*[[:space:]]TLSA[[:space:]]3/s/$key1/$wrong/" \
    dane.zone.signed >forged
cmp -s forged dane.zone.signed && give_up "nothing was forged"

nsd_up() {
    cat >nsd.conf <<END
server:
    ip-address: 127.0.0.1@$port
    do-ip6: no
    server-count: 1
    username: ""
    zonesdir: "$dir"
    database: ""
    pidfile: "$dir/nsd.pid"
    xfrdfile: "$dir/xfrd.state"
    xfrdir: "$dir"
    zonelistfile: "$dir/zone.list"
remote-control:
    control-enable: no
zone:
    name: dane.example
    zonefile: forged
zone:
    name: plain.dane.example
    zonefile: plain.zone
zone:
    name: old.example
    zonefile: old.zone.signed
END
    background nsd -d -c "$dir/nsd.conf"
}
bed nsd_up
dns=$port

to() { # HOST MODE ARGS...
    host=$1 mode=$2
    shift 2
    run connect "$host:$tls" --ip 127.0.0.1 --dane="$mode" -v \
        -o dane.anchor="$dir/anchor" -o dane.resolver="127.0.0.1@$dns" "$@"
}
good() { # NAME REGEX
    [ "$rc" -eq 0 ] && grep -Eq "$2" "$dir/err"
    ok $? "$1"
}

for v in 1.2 1.3; do
    to ee.dane.example require --tls $v
    good "DANE-EE: no CA is needed, TLS $v" \
        "chain by DANE-EE 3 1 1 \\(_$tls\\._tcp\\.ee\\.dane\\.example\\)"
    to ta.dane.example require --tls $v
    good "DANE-TA: nor a trusted one, TLS $v" 'by DANE-TA 2 0 1'
    to first.dane.example on --tls $v
    good "SHA-512, TLS $v" 'secure 3 1 2'
done
to pkix.dane.example require --ca "$dir/ca.pem"
good "PKIX-EE with a CA that is trusted" 'by PKIX-EE 1 1 1'
to pkix.dane.example require
failed_with "PKIX-EE without" 5 'untrusted-root|chain-incomplete'
to other.dane.example on --ca "$dir/ca.pem"
refused "no trusted CA is worth more than the record" 5 dane \
    "not the TLSA record of _$tls\\._tcp\\.other\\.dane\\.example" \
    "_$tls\\._tcp\\.other\\.dane\\.example\\. IN TLSA 3 1 1 $key1"
to agile.dane.example on
failed_with "the weaker hash is not asked" 5 dane
to bogus.dane.example on --ca "$dir/ca.pem"
refused "a forged record" 5 dane 'DNSSEC validation failed' 'mended|between'
run connect --dane "ee.old.example:$tls" --ip 127.0.0.1 \
    -o dane.anchor="$dir/anchor" -o dane.resolver="127.0.0.1@$dns"
refused "signatures that ended" 5 dane 'DNSSEC validation failed' 'mended'
to none.dane.example on --ca "$dir/ca.pem"
good "signed absence: as without DANE" 'DANE none'
to none.dane.example on
failed_with "as without DANE: an untrusted CA" 5 \
    'untrusted-root|chain-incomplete'
to none.dane.example require --ca "$dir/ca.pem"
refused "signed absence, and records required" 5 dane 'signed zone says so' \
    'dane = on'
to host.plain.dane.example require --ca "$dir/ca.pem"
refused "an unsigned zone has none" 5 dane 'no signed TLSA' 'sign the zone'
to host.plain.dane.example on
failed_with "an unsigned zone's record helps nobody" 5 \
    'untrusted-root|chain-incomplete|name-mismatch'
to unusable.dane.example on --ca "$dir/ca.pem"
good "none that is usable: as without DANE" 'DANE unusable'
to unusable.dane.example require --ca "$dir/ca.pem"
refused "none that is usable, and records required" 5 dane \
    'no usable.*unknown matching type' 'dane = on'
to alias.dane.example require
good "a signed CNAME is followed" '_tcp\.ee\.dane\.example'
to away.dane.example require
good "an unsigned end of a signed CNAME is not" '_tcp\.away\.dane\.example'
to many.dane.example require
good "one of 101 records" 'secure 3 1 1'

run connect "smtp://ee.dane.example:$smtp" --ip 127.0.0.1 --dane=require -v \
    -o dane.anchor="$dir/anchor" -o dane.resolver="127.0.0.1@$dns"
good "SMTP with STARTTLS" 'by DANE-EE 3 1 1'

# check tells all records, signed or not, which fits, and what would
judged() { # NAME EXIT HOST OUT-REGEX... (ARGS in $with)
    name=$1 want=$2 host=$3
    shift 3
    run check "$host:$tls" --ip 127.0.0.1 --dane --no-aia $with \
        -o dane.anchor="$dir/anchor" -o dane.resolver="127.0.0.1@$dns"
    good=0
    [ "$rc" -eq "$want" ] || good=1
    for regex in "$@"; do
        grep -Eq "$regex" "$dir/out" || good=1
    done
    ok "$good" "check: $name"
}
with="--ca $dir/ca.pem"
judged "a record that fits" 0 ee.dane.example \
    "^ok    dane  .*secure 3 1 1 at _$tls\._tcp\.ee\.dane\.example" \
    '^        fits     3 1 1 .*DANE-EE: of zone'
judged "a CA's" 0 ta.dane.example '^        fits     2 0 1 .*DANE-TA: of Zone CA'
judged "none that fits, and the record that would" 1 other.dane.example \
    '^ERROR dane  .*not the TLSA record' \
    "no       3 1 1 0000.*DANE-EE: it is not of the server's certificate" \
    "^      fix  .*_$tls\._tcp\.other\.dane\.example\. IN TLSA 3 1 1 $key1"
judged "two, one that fits" 0 many.dane.example '^ok    dane' \
    '^note  dane-unmatched .*of 100 TLSA records fit nothing'
judged "unsigned ones" 1 host.plain.dane.example \
    '^WARN  dane-insecure .*not signed' '^      fix  .*DNSSEC' \
    '^        fits     3 1 1'
judged "none at all, and what to publish" 0 none.dane.example \
    "^note  dane-none .*_$tls\._tcp\.none" "IN TLSA 3 1 1 $key1"
judged "none that is usable, and why" 0 unusable.dane.example \
    '^WARN  dane-unusable' 'no       3 1 9 .*unknown matching type' \
    "IN TLSA 3 1 1 $key1"
judged "forged ones" 1 bogus.dane.example '^ERROR dane .*DNSSEC validation'
judged "a signed alias" 0 alias.dane.example '_tcp\.ee\.dane\.example'
with=
judged "DANE-EE stands in for a CA" 0 ee.dane.example '^ok    dane' \
    '^(note|WARN)  (chain-incomplete|untrusted-root) '
printf '%s\n' "dane.anchor = $dir/anchor" \
    "dane.resolver = 127.0.0.1@$dns" "[other]" \
    "dane.resolver = 127.0.0.1@9" >check.conf
run check "ee.dane.example:$tls" --ip 127.0.0.1 --dane --ca "$dir/ca.pem" \
    --config check.conf --json
perl -MJSON::PP -e 'my $d = decode_json(join "", <STDIN>)->{dane};
    exit !($d->{state} eq "secure" && $d->{records}[0]{matches} &&
        $d->{records}[0]{usage} == 3 && $d->{owner} =~ /^_\d+\._tcp\.ee/)' <out &&
    perl "$here/schema.pl" "${CHECK_SCHEMA:?set CHECK_SCHEMA}" <out >log
ok $? "check --json, with the resolver out of a file"
run check "smtp://ee.dane.example:$smtp" --ip 127.0.0.1 --dane \
    --ca "$dir/ca.pem" -o dane.anchor="$dir/anchor" \
    -o dane.resolver="127.0.0.1@$dns"
[ "$rc" -eq 0 ] && grep -q "^ok    dane .*_$smtp\._tcp\.ee" out
ok $? "check, SMTP with STARTTLS"

# a name server that is silent: bound, and never read
cat >silent.pl <<'END'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.0.0.1:0");
$| = 1;
print "port ", $s->sockport, "\n";
select(undef, undef, undef, undef);
END
start 'port ([0-9]+)' perl silent.pl || give_up "no silent server"
run connect "ee.dane.example:$tls" --ip 127.0.0.1 --dane --timeout 2s \
    --ca "$dir/ca.pem" -o dane.anchor="$dir/anchor" \
    -o dane.resolver="127.0.0.1@$port"
failed_with "a silent name server is no absence" 7 timeout
printf 'no anchor at all (\n' >broken
to ee.dane.example on -o dane.anchor="$dir/broken"
[ "$rc" -ne 0 ] && grep -q 'trust anchor' "$dir/err"
ok $? "a trust anchor that cannot be read is named"

# the same records, and others' tools
s_client() { # TLSA...
    timeout 30 openssl s_client -connect "127.0.0.1:$tls" -verify_quiet \
        -dane_tlsa_domain ee.dane.example -dane_tlsa_rrdata "$1" \
        -verify_return_error -brief >"$dir/out" 2>"$dir/err" </dev/null
}
s_client "3 1 1 $key1"
ok $? "openssl s_client: 3 1 1"
s_client "2 0 1 $ca1"
ok $? "openssl s_client: 2 0 1"
s_client "3 1 1 $wrong"
[ $? -ne 0 ]
ok $? "openssl s_client: the wrong one"
danetool --tlsa-rr --host ee.dane.example --load-certificate leaf.pem \
    --port "$tls" --outfile danetool.out >"$dir/out" 2>"$dir/err"
grep -qi "$key1" danetool.out "$dir/out"
ok $? "danetool makes the record that the hint showed"
finish
