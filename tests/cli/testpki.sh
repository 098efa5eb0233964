#!/bin/sh
# testpki: every line of its index is true, for openssl and for the library;
# and the tool itself.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
zoo_verify=${ZOO_VERIFY:?set ZOO_VERIFY to the checker}

run testpki zoo
[ "$rc" -eq 0 ] && [ -s zoo/README.txt ] && grep -q 'files' out
ok $? "testpki makes a directory"
run testpki zoo
refused "a directory that is not empty" 6 own-file 'zoo is not empty' --force
before=$(cksum <zoo/good.pem)
chmod 666 zoo/good.key
run testpki --force zoo
[ "$rc" -eq 0 ] && [ "$before" != "$(cksum <zoo/good.pem)" ]
ok $? "--force makes all of it anew"
[ "$(stat -c %a zoo)" = 700 ] || [ "$(stat -c %a zoo)" = 755 ]
ok $? "others cannot write to the directory"
grep -l -e '-----BEGIN .*PRIVATE KEY' zoo/* >keys
ls zoo/*.p12 zoo/*.key.der zoo/*.enc.der zoo/password.txt >>keys
[ "$(wc -l <keys)" -gt 50 ] &&
    [ "$(xargs stat -c %a <keys | sort -u)" = 600 ]
ok $? "whatever holds a key or a password has mode 0600"

# One line per entry of the index, "-" for null; blanks are in none of these.
cat >lines.pl <<'E2'
use JSON::PP;
local $/;
my $o = decode_json(<STDIN>);
die unless $o->{schema} eq "tlsock.testpki/1";
for my $e (@{$o->{entries}}) {
    print join(" ", map { $e->{$_} // "-" }
        qw(file key pass use host trust crl verdict x509)), "\n";
}
E2
perl lines.pl <zoo/index.json >lines
[ "$(wc -l <lines)" -gt 70 ]
ok $? "the index is JSON and long"
awk '$1 == "-" || $4 == "-" || $8 == "-"' lines >out
[ ! -s out ]
ok $? "each line names a file, a use and a verdict"
missing=
while read -r file key pass use host trust crl verdict x509; do
    for f in "$file" "$key" "$pass" "$trust" "$crl"; do
        [ "$f" = - ] || [ -f "zoo/$f" ] || missing="$missing $f"
    done
done <lines
[ -z "$missing" ]
ok $? "every file that it names is there$missing"
find zoo -type f | sed 's|^zoo/||' | sort >there
{
    tr ' ' '\n' <lines
    printf '%s\n' README.txt index.json client.p12 inter.crl.der root.crl
} | sort -u >named
comm -23 there named >out
[ ! -s out ]
ok $? "and none is there that it does not name"
for slug in good chain-incomplete untrusted-root expired not-yet-valid \
    name-mismatch purpose cert-invalid weak revoked revocation-unknown \
    own-file key-mismatch; do
    grep -q " $slug " lines
    ok $? "the zoo has a case of $slug"
done

# OpenSSL's own judgement, from the command line.
openssl_says() { # FILE USE HOST TRUST CRL: its first error, 0 if there is none
    file=$1 use=$2 host=$3 trust=$4 crl=$5
    set -- -x509_strict -auth_level 2 -no-CApath -no-CAstore \
        -CAfile "$trust" -untrusted "$file"
    case $use in
    server) set -- "$@" -purpose sslserver ;;
    client) set -- "$@" -purpose sslclient ;;
    *) set -- "$@" -purpose any ;;
    esac
    case $host in
    -) ;;
    [0-9]*) set -- "$@" -verify_ip "$host" ;;
    *) set -- "$@" -verify_hostname "$host" ;;
    esac
    [ "$crl" = - ] || set -- "$@" -crl_check -CRLfile "$crl"
    openssl verify "$@" "$file" >../log 2>&1
    end=$?
    found=$(sed -n 's/^error \([0-9]*\) at.*/\1/p' ../log | head -1)
    [ -n "$found" ] || [ "$end" -ne 0 ] || found=0
    echo "$found"
}
cd zoo || exit 1
while read -r file key pass use host trust crl verdict x509; do
    [ "$x509" != - ] || continue
    got=$(openssl_says "$file" "$use" "$host" "$trust" "$crl")
    [ "$got" = "$x509" ]
    ok $? "openssl finds $x509 in $file ($verdict)"
done <../lines
cd ..
# the library's, in one process
"$zoo_verify" zoo >said 2>err
ok $? "the library reads the index"
[ "$(grep -c . said)" -eq "$(grep -c . lines)" ]
ok $? "and all of its lines"
while read -r word line; do
    [ "$word" = pass ]
    ok $? "tlsock: $line"
done <said
# and the tool's, which has no use for keys; PKCS#12 was the library's to read
cat >found.pl <<'E2'
use JSON::PP;
local $/;
my $o = decode_json(<STDIN>);
print $o->{good} ? "good 0" : "$o->{code} " . ($o->{x509_code} // "-"), "\n";
E2
while read -r file key pass use host trust crl verdict x509; do
    [ "$verdict" != key-mismatch ] || continue
    case $file in *.p12) continue ;; esac
    set -- --ca "zoo/$trust" --purpose "$use" --json
    [ "$host" = - ] || set -- "$@" --name "$host"
    [ "$crl" = - ] || set -- "$@" --crl "zoo/$crl" --crl zoo/root.crl
    run cert verify "$@" "zoo/$file"
    case $verdict in good) want=0 ;; own-file) want=6 ;; *) want=5 ;; esac
    set -- $(perl found.pl <out)
    [ "$rc" -eq "$want" ] && [ "$1" = "$verdict" ] &&
        { [ "$x509" = - ] || [ "$2" = "$x509" ]; }
    ok $? "cert verify: $file is $verdict"
done <lines
# The table lies if it is held against another root: the checker can fail.
cp -r zoo lie && cp lie/root2.pem lie/root.pem
"$zoo_verify" lie 2>/dev/null | grep -q '^fail good.pem'
ok $? "a zoo with another root is not what its index says"

# Keys and certificates belong together, in each format, for openssl too.
pub() {
    openssl pkey -in "$1" -passin file:zoo/password.txt -pubout 2>log
}
want=$(openssl x509 -in zoo/good.pem -noout -pubkey)
for k in good.key good.key.der good.enc.key good.enc.der good.trad.key \
    good.trad.enc.key good-both.pem good-key-first.pem good-crlf.key; do
    [ "$(pub zoo/$k)" = "$want" ]
    ok $? "openssl reads $k: the key of good"
done
for p in good good-legacy client; do
    openssl pkcs12 -in zoo/$p.p12 -passin file:zoo/password.txt -nokeys \
        -nodes -out p12.pem 2>log && [ "$(grep -c BEGIN p12.pem)" -eq 2 ]
    ok $? "openssl reads $p.p12: certificate and chain"
done
openssl pkcs12 -in zoo/good-legacy.p12 -passin file:zoo/password.txt -info \
    -noout 2>&1 | grep -q 'pbeWithSHA1And3-KeyTripleDES'
ok $? "good-legacy.p12 is under 3DES"
openssl x509 -in zoo/md5.pem -noout -text | grep -q md5With &&
    openssl x509 -in zoo/sha1.pem -noout -text | grep -q 'SHA1'
ok $? "sha1 and md5 are signed so"
openssl x509 -in zoo/no-san.pem -noout -ext subjectAltName >log 2>&1
! grep -q DNS log
ok $? "no-san has none"
openssl crl -in zoo/inter.crl -noout -text | grep -q 'Key Compromise' &&
    openssl crl -in zoo/inter.crl -CAfile zoo/inter.pem -noout >log 2>&1
ok $? "inter.crl names a reason and is signed by inter"
[ "$(od -An -tx1 -N3 zoo/good-bom.pem | tr -d ' ')" = efbbbf ] &&
    [ "$(grep -c "$(printf '\r')\$" zoo/good-crlf.pem)" -eq \
        "$(wc -l <zoo/good-crlf.pem)" ]
ok $? "the byte order mark and the CR LF are there"

# In use: what a server with it meets.
serve --cert zoo/good.pem --key zoo/good.key
run connect --ca zoo/root.pem --name app.test --timeout 20s "127.0.0.1:$port"
ok "$rc" "a server with the good one is trusted"
run connect --ca zoo/root2.pem --name app.test --timeout 20s "127.0.0.1:$port"
[ "$rc" -eq 5 ]
ok $? "but not by who trusts root2 alone"
stop

run testpki --domain lab.example --days 7 lab
ok "$rc" "--domain and --days"
openssl x509 -in lab/good.pem -noout -ext subjectAltName | grep -q \
    'DNS:app.lab.example'
ok $? "the domain is in the names"
openssl x509 -in lab/good.pem -noout -checkend $((6 * 86400)) >log &&
    ! openssl x509 -in lab/good.pem -noout -checkend $((8 * 86400)) >log
ok $? "it lives a week"
"$zoo_verify" lab >said 2>err
! grep '^fail' said >out
ok $? "its index is true as well"
run testpki --json quiet
[ "$rc" -eq 0 ] && perl -MJSON::PP -0ne '$o = decode_json($_);
    exit(!($o->{schema} eq "tlsock.testpki-new/1" && $o->{files} > 100))' out
ok $? "--json"
for d in '' . -a a- a..b 'a b' '*.test' a/b 1.2.3.4 "$(printf '%0101d' 0)" \
    "x'y" 'a,DNS:b'; do
    run testpki --domain "$d" bad
    [ "$rc" -eq 2 ] && [ ! -e bad ]
    ok $? "--domain '$d' is refused, nothing is made"
done
run testpki --days 0 bad
refused "--days 0" 2 usage 'days' .
run testpki
refused "no directory" 2 usage 'too few' .
run testpki lines
refused "a file in place of a directory" 6 own-file lines .
run testpki "$(printf '%05000d' 0)"
[ "$rc" -eq 6 ] || [ "$rc" -eq 2 ]
ok $? "a path that is too long"
mkdir full && mkdir -p full/good.pem/in
run testpki --force full
refused "a file that cannot be written" 6 own-file good.pem directory
finish
