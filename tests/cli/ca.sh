#!/bin/sh
# A CA that is kept: ca init, list, revoke, crl, cert sign, cert renew; judged
# by openssl. What happens in a crash is in ca_crash.sh.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
ca=$dir/data/tlsock/ca
shim=${TLSOCK_SHIM_LIB:?set TLSOCK_SHIM_LIB to shim.so}

serial_of() {
    openssl x509 -in "$1" -noout -serial | sed 's/.*=//' | tr A-F a-f
}

# a value of a JSON object on one line: PATH, as .crl.number or .list.0.name
json() {
    perl -MJSON::PP -e '
        my $v = decode_json(join "", <STDIN>);
        for (split /\./, substr $ARGV[0], 1) {
            $v = ref $v eq "ARRAY" ? $v->[$_] : $v->{$_};
        }
        print ref $v eq "ARRAY" ? scalar @$v : defined $v ? $v : "null";
    ' "$1" <out
}

is_json() { # NAME PATH VALUE
    [ "$rc" -eq 0 ] && [ "$(json "$2")" = "$3" ]
    ok $? "$1"
}

# ---- an empty CA
run ca list
refused "ca list without a CA" 6 own-file 'there is no CA' 'ca init'
run cert sign none.csr
refused "cert sign without a CA" 6 own-file 'no local CA' 'ca init'
(umask 0777 && "$tlsock" ca init >out 2>err)
ok $? "ca init under umask 0777"
modes=$(stat -c %a "$ca" "$ca/ca.key" "$ca/ca.pem" "$ca/index" | tr '\n' ' ')
[ "$modes" = '700 600 644 644 ' ]
ok $? "modes 0700, 0600, 0644"
run ca list
[ "$rc" -eq 0 ] && grep -q 'issued nothing' out
ok $? "ca list says that nothing was issued"
run ca init
refused "a second ca init" 6 own-file 'a CA already' '--dir'
cp -a "$ca" lost
rm lost/ca.pem lost/index
run ca init --dir lost
refused "a key alone is not overwritten" 6 own-file 'no ca.pem' backup
cp -a "$ca" lost2
rm lost2/ca.pem
run cert new -q --ca lost2 a.test
refused "nor is there a CA without ca.pem" 6 own-file 'no CA in' 'ca init'
for bad in "--days 0" "--pathlen x" "--crl-url https://a.test/" "--name" \
    "--any-name --permitted .a" "--issuer-pass env:X" "--pass secret"; do
    # shellcheck disable=SC2086
    run ca init --dir bad $bad
    [ "$rc" -eq 2 ] && [ ! -e bad ]
    ok $? "ca init $bad: exit 2, and nothing is made"
done
run ca init --dir bad --key-type rsa:512
[ "$rc" -ne 0 ] && [ ! -e bad/ca.key ] && [ ! -e bad/ca.pem ]
ok $? "a weak key type leaves neither key nor certificate"
run ca init --dir bad -q
ok "$rc" "and the directory can be used then"
: >file
run ca init --dir file/ca
refused "a directory that cannot be made" 6 own-file 'Not a directory' '--dir'

# ---- issue, list
run cert new -q one.test www.one.test
run cert new -q --days 7 two.test
run cert new -q --not-before 2020-01-01 --not-after 2020-02-01 old.test
run cert new -q --client alice@one.test
run ca list
[ "$(grep -c '^valid' out)" -eq 3 ] && [ "$(grep -c '^expired' out)" -eq 1 ]
ok $? "ca list: three valid, one expired"
run ca list --json
is_json "ca list --json has them all" .certificates 4
is_json "with names" .certificates.0.sans 'DNS:one.test, DNS:www.one.test'
cmp -s "$(json .certificates.0.file)" one.test.pem
ok $? "the copy is what was handed out"
run ca list --expiring 30 --json
is_json "--expiring 30" .certificates.0.subject CN=two.test
is_json "and nothing else" .certificates 1
run ca list --expired --json
is_json "--expired" .certificates.0.subject CN=old.test
run ca list --revoked
[ "$rc" -eq 0 ] && grep -q 'none of its' out
ok $? "--revoked: none so far"

# ---- revoke
run ca revoke one.test --reason keyCompromise
[ "$rc" -eq 0 ] && grep -q '^revoked .*one.test.*keyCompromise' out &&
    grep -q '^crl  *number 1' out
ok $? "ca revoke NAME makes a CRL at once"
openssl verify -CAfile "$ca/ca.pem" -CRLfile "$ca/crl.pem" -crl_check \
    one.test.pem >log 2>&1
[ $? -ne 0 ] && grep -q revoked log
ok $? "openssl refuses it then"
openssl verify -CAfile "$ca/ca.pem" -CRLfile "$ca/crl.pem" -crl_check \
    two.test.pem >log 2>&1
ok $? "and takes the others"
openssl crl -in "$ca/crl.pem" -noout -text >log
grep -q 'Key Compromise' log && grep -A1 'CRL Number' log | grep -q ' 1$'
ok $? "reason and number are in it"
openssl crl -inform DER -in "$ca/crl.der" 2>log | cmp -s - "$ca/crl.pem"
ok $? "crl.der is the same"
when=$(grep '^R' "$ca/index")
run ca revoke one.test --reason superseded
[ "$rc" -eq 0 ] && grep -q 'already' out && [ "$when" = "$(grep '^R' "$ca/index")" ]
ok $? "revoked again: time and reason stay"
run ca revoke two.test.pem --json
is_json "ca revoke FILE --json" .certificates.0.status revoked
is_json "its CRL" .crl.number 3
run ca revoke "$(serial_of alice@one.test.pem | tr a-f A-F | sed 's/../&:/g; s/:$//')"
[ "$rc" -eq 0 ] && grep -q '^revoked .*alice@one.test' out
ok $? "ca revoke SERIAL, upper case with colons"
run cert new -q --out three-a three.test
run cert new -q --out three-b three.test
run ca revoke three.test
refused "a name of two certificates" 2 ambiguous '2 valid' \
    "$(serial_of three-a.pem).*$(serial_of three-b.pem)"
run ca revoke -q "$(serial_of three-a.pem)"
run ca revoke -q three.test
[ "$rc" -eq 0 ] && grep -q "^R $(serial_of three-b.pem)" "$ca/index"
ok $? "once one of them is revoked, the name is enough"
run ca revoke nobody.test
refused "a name that nobody has" 6 own-file 'no serial, no file' 'ca list'
run ca revoke "$ca/ca.key"
[ "$rc" -eq 6 ]
ok $? "a file without a certificate"
run ca revoke one.test --reason certificateHold
refused "a hold, which could not be undone" 2 usage 'is none' keyCompromise
run ca init -q --dir other --name Other
run cert new -q --ca other foreign.test
run ca revoke foreign.test.pem
refused "a certificate of another CA" 6 'untrusted-root' 'Other' '(--ca|--dir)'
before=$(cksum <"$ca/index")
run ca revoke two.test foreign.test.pem
[ "$rc" -eq 6 ] && [ "$before" = "$(cksum <"$ca/index")" ]
ok $? "of several, none is revoked if one cannot be"
for r in unspecified keyCompromise cACompromise affiliationChanged superseded \
    cessationOfOperation privilegeWithdrawn aACompromise; do
    run cert new -q --out "r-$r" "$r.test"
    run ca revoke --reason "$r" "r-$r.pem"
    [ "$rc" -eq 0 ] && grep -q " $r \"DNS:" "$ca/index" &&
        openssl crl -in "$ca/crl.pem" -noout -text | tr -d ' :' |
        grep -qi "$(serial_of "r-$r.pem")"
    ok $? "reason $r"
done

# ---- crl
run ca crl --days 30 --json
n=$(json .number)
[ "$rc" -eq 0 ] && openssl crl -in "$ca/crl.pem" -noout -nextupdate -lastupdate |
    perl -MTime::Piece -ne 's/.*=//; s/ GMT\s//; s/  / /;
        push @t, Time::Piece->strptime($_, "%b %d %H:%M:%S %Y")->epoch;
        END { exit($t[0] - $t[1] == 30 * 86400 ? 0 : 1) }'
ok $? "ca crl --days 30 is due in 30 days"
run ca crl --json
is_json "the next number" .number $((n + 1))
grep -q '^crl-days = 30$' "$ca/index"
ok $? "its days are kept"
sed -i 's/^crl-due = .*/crl-due = 2021-01-01T00:00:00Z/' "$ca/index"
run ca list
[ "$rc" -eq 0 ] && grep -q 'overdue' err && grep -q 'tlsock ca crl' err
ok $? "ca list warns of an overdue CRL"
run ca list --json
is_json "in JSON too" .crl.overdue 1
run ca crl -q
run ca list
[ ! -s err ]
ok $? "ca crl ends the warning"
run ca revoke -q old.test.pem
serial=$(serial_of old.test.pem | tr a-f A-F)
openssl crl -in "$ca/crl.pem" -noout -text | grep -q "$serial"
ok $? "an expired certificate that is revoked is in one CRL"
sed -i "/$(serial_of old.test.pem)/s/ 20[0-9-]*T[0-9:]*Z unsp/ 2020-01-15T00:00:00Z unsp/" \
    "$ca/index"
run ca crl -q
! openssl crl -in "$ca/crl.pem" -noout -text | grep -q "$serial"
ok $? "and leaves it with the next"

# ---- the index
cp "$ca/index" good
damage() { # NAME SED CAUSE
    sed "$2" good >"$ca/index"
    cp "$ca/index" damaged
    run ca list
    [ "$rc" -eq 6 ] && grep -Eq "index, line [0-9]+: .*($3)" err &&
        grep -q 'fix:   .*backup' err
    ok $? "damaged: $1"
    run cert new -q --out never never.test
    [ "$rc" -eq 6 ] && cmp -s damaged "$ca/index" && [ ! -e never.pem ]
    ok $? "nothing is written then: $1"
}
damage "another version" '1s/1$/2/' 'no index that this version'
damage "lines are missing" '/^R/{d}' 'number of lines'
damage "lines twice" '/^R/p' 'number of lines'
n=$(sed -n 's/^end //p' good)
damage "a serial twice" "1,/^R/s/^R .*/&\n&/;s/^end .*/end $((n + 1))/" 'twice'
damage "an end that is none" 's/^end .*/end x/' 'lines is none'
damage "no end" '$d' 'ends too early'
damage "something behind the end" '$s/$/\nV x/' 'behind the end'
damage "a column is missing" '/^R/s/ [^ ]*//' \
    '(column|not two quoted|serial|time)'
damage "a serial that is none" '/^R/s/ [0-9a-f]*/ xyz/' 'serial is none'
damage "a date that is none" '/^R/s/20[0-9][0-9]-[0-9]*/2026-13/' 'time of'
damage "a day that is none" '/^R/s/20\(..\)-..-../2027-02-30/' 'time of'
damage "a reason that is none" '/^R/s/keyCompromise/boredom/' 'reason'
damage "revoked, but valid" '/^R/s/^R/V/' 'valid certificate has'
damage "an open quote" '/^R/s/"$//' 'two quoted'
damage "an unknown escape" '/^R/s/CN=/\\q/' 'two quoted'
damage "an unknown status" '/^R/s/^R/X/' 'neither'
damage "an unknown setting" 's/^crl-days/crl-weeks/' 'not known'
damage "a setting twice" '/^crl-days/p' 'twice'
damage "a number that is none" 's/^crl-number = .*/crl-number = -1/' \
    'not possible'
damage "days that are none" 's/^crl-days = .*/crl-days = 0/' 'not possible'
damage "an empty line" '5s/^/\n/' 'neither'
: >"$ca/index"
run ca list
refused "an empty index" 6 own-file 'line 1: the file ends' backup
rm "$ca/index"
mkdir "$ca/index"
run ca list
refused "an index that is a directory" 6 own-file 'cannot read' directory
rmdir "$ca/index"
cp good "$ca/index"

run ca init -q --dir hostile --name 'x" "y
V 00 %00 \x0a end'
run cert new -q --ca hostile --subject 'CN=a"\0AV b\\,O=\C3\A4' \
    --out hostile-1 h.test
[ "$rc" -eq 0 ]
ok $? "a subject with quotes and a line's end"
run ca list --dir hostile --json
is_json "is one line of the index" .certificates 1
[ "$(grep -c '^[VR] ' hostile/index)" -eq 1 ]
ok $? "and no other line comes of it"

# ---- a directory of before there was an index; copies without a line
run ca init -q --dir before --name Before
run cert new -q --ca before b.test
rm -r before/index before/certs before/lock
run ca list --dir before
[ "$rc" -eq 0 ] && grep -q 'issued nothing' out && [ ! -e before/lock ]
ok $? "ca.pem and ca.key alone are an empty CA, and listing writes nothing"
run ca revoke --dir before b.test.pem
[ "$rc" -eq 0 ] && grep -q "^R $(serial_of b.test.pem)" before/index
ok $? "a certificate from then can be revoked"
run cert new -q --ca before c.test
sed -i '/^V/d; s/^end 2/end 1/' before/index
cp "$(dirname "$ca")/ca/certs/$(serial_of one.test.pem).pem" before/certs/
echo junk >before/certs/00ff.pem
run cert new -q --ca before d.test
run ca list --dir before --json
is_json "a copy without a line gets one, other files do not" .certificates 3
grep -q "$(serial_of c.test.pem)" out
ok $? "it is the right one"
run cert new -q --ca before --serial 77 e.test
run cert new -q --ca before --serial 0077 --out e2 e.test
[ "$rc" -ne 0 ] && grep -q 'given to another' err && [ ! -e e2.pem ]
ok $? "no serial is given twice"

# ---- other ways
echo pw >pw
run ca init -q --dir sealed --name Sealed --pass file:pw --crl-url \
    http://crl.test/s.crl --ocsp-url http://ocsp.test/ --aia-url \
    http://aia.test/s.der --crl-days 3
[ "$rc" -eq 0 ] && grep -q 'ENCRYPTED' sealed/ca.key
ok $? "ca init --pass encrypts the key"
openssl crl -in sealed/crl.pem -noout 2>log
ok $? "with --crl-url there is a CRL from the first day"
run cert new -q --ca sealed s.test
refused "it needs its password" 6 password 'ca.key' 'file:FILE'
run cert new -q --ca sealed s.test --pass file:pw
openssl x509 -in s.test.pem -noout -text >log
grep -q 'URI:http://crl.test/s.crl' log && grep -q 'OCSP - URI:http://ocsp' log &&
    grep -q 'CA Issuers - URI:http://aia' log
ok $? "the URLs are in what it issues"
run ca list --dir sealed
ok "$rc" "ca list needs no password"
run ca crl --dir sealed --pass file:pw --json
is_json "ca crl shows where to publish" .url http://crl.test/s.crl
run ca init -q --dir root --name Root --pathlen 1
run ca init -q --dir below --issuer root
ok "$rc" "a CA below another"
run ca init -q --dir below2 --issuer root --name Root
refused "but not with the same name" 2 usage 'is called "Root" too' '--name'
run ca init -q --dir below3 --issuer below --name Third
[ "$rc" -ne 0 ] && grep -q 'CAs below it' err && [ ! -e below3/ca.pem ]
ok $? "nor below one that may have none"
run cert new -q --ca below u.test
openssl verify -x509_strict -CAfile root/ca.pem -untrusted u.test.pem \
    u.test.pem >log 2>&1
ok $? "what it issues verifies up to the root"
run ca list --dir root --json
is_json "the root's index has it" .certificates.0.subject 'CN=tlsock local CA'

# ---- cert sign
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout q.key -out q.csr -subj '/CN=q.test/O=Me' \
    -addext subjectAltName=DNS:q.test,DNS:r.test \
    -addext basicConstraints=critical,CA:TRUE \
    -addext certificatePolicies=1.2.3.4 2>log
run cert sign q.csr
[ "$rc" -eq 0 ] && grep -q '^kept .*subjectAltName' out &&
    grep -q '^changed .*basicConstraints' out &&
    grep -q '^dropped .*certificatePolicies' out
ok $? "cert sign says what was kept, changed and dropped"
openssl verify -CAfile "$ca/ca.pem" -verify_hostname r.test q.pem >log 2>&1 &&
    ! openssl x509 -in q.pem -noout -text | grep -q CA:TRUE
ok $? "the names are in it, the CA is not"
grep -q "^V $(serial_of q.pem)" "$ca/index"
ok $? "it is in the index"
lines=$(wc -l <"$ca/index")
run cert sign q.csr
refused "an existing file is kept" 6 own-file exists force
[ "$lines" -eq "$(wc -l <"$ca/index")" ]
ok $? "and nothing was issued for it"
run cert sign q.csr --out q2 --json --name only.test --days 5 --purpose client
is_json "cert sign --json: names" .names.0 only.test
is_json "what became of what" .asked.extensions.1.result changed
run cert sign q.csr --out q3 --allow-ext certificatePolicies
[ "$rc" -eq 0 ] && grep -q '^kept .*certificatePolicies' out
ok $? "--allow-ext"
run cert sign q.csr --out q4 --make-ca --pathlen 0 --permitted .q.test \
    --ca root
[ "$rc" -eq 0 ] && openssl x509 -in q4.pem -noout -text | grep -q CA:TRUE
ok $? "--make-ca"
run cert sign q.csr --out q5 --pathlen 1
refused "--pathlen without it" 2 usage 'for a CA alone' make-ca
run cert sign q.csr --out q6 --name www.example.com
[ "$rc" -ne 0 ] && [ ! -e q6.pem ] && grep -q 'permit' err
ok $? "a name that the CA may not sign"
sed 's/[A-M]/N/3' q.csr >broken.csr
run cert sign broken.csr
[ "$rc" -eq 6 ] && [ ! -e broken.pem ]
ok $? "a request that was changed on its way"
run cert sign q.key
[ "$rc" -eq 6 ]
ok $? "a file that is no request"
openssl req -in q.csr -outform DER -out q7.der
run cert sign q7.der -q
[ "$rc" -eq 0 ] && [ -s q7.pem ] && [ ! -s out ]
ok $? "DER; -q says nothing"

# ---- cert renew
pin() { openssl x509 -in "$1" -noout -pubkey | cksum; }
run cert new -q --days 30 n.test 10.1.2.3
key=$(pin n.test.pem)
first=$(serial_of n.test.pem)
run cert renew n.test.pem
[ "$rc" -eq 0 ] && [ "$(pin n.test.pem)" = "$key" ] &&
    [ "$(serial_of n.test.pem)" != "$first" ]
ok $? "cert renew keeps the key"
openssl verify -CAfile "$ca/ca.pem" -verify_ip 10.1.2.3 n.test.pem >log 2>&1 &&
    grep -q "^V $(serial_of n.test.pem)" "$ca/index"
ok $? "and the names, and is in the index"
chmod 640 n.test.key
chgrp 1 n.test.key 2>/dev/null
group=$(stat -c %g n.test.key)
run cert renew n.test.pem --new-key --days 60 --json
is_json "--new-key" .new_key 1
[ "$(pin n.test.pem)" != "$key" ] &&
    openssl pkey -in n.test.key -pubout | cmp -s - \
        "$(openssl x509 -in n.test.pem -noout -pubkey >pub; echo pub)"
ok $? "key and certificate fit"
[ "$(stat -c '%a %g' n.test.key)" = "640 $group" ]
ok $? "mode and group of the key are as they were"
run cert renew --if-due 30 n.test.pem
[ "$rc" -eq 0 ] && grep -q '^not-due' out
ok $? "--if-due: not due"
run cert renew --check --if-due 100% n.test.pem
[ "$rc" -eq 1 ] && grep -q '^due' out
ok $? "--check: exit 1 when due"
run cert renew --check n.test.pem
ok "$rc" "--check: exit 0 when not"
run cert renew --if-due 61 n.test.pem
[ "$rc" -eq 0 ] && grep -q '^renewed' out
ok $? "--if-due: due"
run cert renew --if-due x n.test.pem
[ "$rc" -eq 2 ]
ok $? "--if-due x"
cat n.test.key n.test.pem >both.pem
chmod 600 both.pem
run cert renew both.pem
[ "$rc" -eq 0 ] && openssl pkey -in both.pem -pubout >a &&
    openssl x509 -in both.pem -noout -pubkey | cmp -s - a
ok $? "key and certificate in one file"
mkdir live
ln -s ../n.test.pem live/cert.pem
ln -s ../n.test.key live/cert.key
first=$(serial_of n.test.pem)
run cert renew live/cert.pem
[ "$rc" -eq 0 ] && [ -L live/cert.pem ] && [ "$(serial_of n.test.pem)" != "$first" ]
ok $? "a symbolic link stays one"
run cert renew foreign.test.pem
refused "a certificate of another CA" 6 own-file 'did not issue' '--ca'
run cert renew --ca other foreign.test.pem
ok "$rc" "--ca names it"
run cert renew one.test.pem
refused "the key of a revoked one gets no other" 6 own-file keyCompromise new-key
run cert renew --new-key one.test.pem
ok "$rc" "--new-key is the way"
run cert renew q.pem --key q.key
ok "$rc" "--key"
mv q.key elsewhere.key
run cert renew q.pem
refused "without its key" 6 own-file 'private key is not here' 'cert csr --like'
run cert renew "$ca/ca.pem"
refused "a CA" 6 own-file 'is a CA' 'ca init'
openssl x509 -in q.pem -outform DER -out q.der
run cert renew q.der
refused "DER" 6 own-file 'no PEM' convert
run cert renew none.pem
refused "no such file" 6 own-file 'No such file' name
run cert new -q --self-signed self.test
key=$(pin self.test.pem)
run cert renew self.test.pem
[ "$rc" -eq 0 ] && [ "$(pin self.test.pem)" = "$key" ] &&
    openssl verify -CAfile self.test.pem self.test.pem >log 2>&1
ok $? "one that signed itself does so again"
run cert renew none.pem n.test.pem
[ "$rc" -eq 6 ] && grep -q '^renewed' out
ok $? "one that cannot be renewed does not stop the others"

# With a new key there are two files: killed at each call, the next run ends it.
: >why
n=0
: >fired
while [ -e fired ] && [ "$n" -lt 100 ]; do
    n=$((n + 1))
    rm -f fired
    ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" sh -c '"$@"' sh \
        env TLSOCK_SHIM_MARK=fired TLSOCK_SHIM="kill:$n" LD_PRELOAD="$shim" \
        "$tlsock" cert renew -q --new-key n.test.pem >out 2>&1
    "$tlsock" cert renew -q --if-due 0 n.test.pem >out 2>&1 ||
        echo "$n: does not end it" >>why
    openssl pkey -in n.test.key -pubout >a 2>log &&
        openssl x509 -in n.test.pem -noout -pubkey | cmp -s - a ||
        echo "$n: key and certificate do not fit" >>why
    [ ! -e n.test.pem.renew ] || echo "$n: a file is left" >>why
done
cp why log
[ ! -s why ] && [ "$n" -gt 20 ] && [ "$n" -lt 100 ]
ok $? "cert renew --new-key, killed at each call that changes a file"

# ---- the lock
{
    flock 9
    ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" TLSOCK_SHIM=clock \
        LD_PRELOAD="$shim" "$tlsock" cert new -q --out held held.test \
        >out 2>err 9>&-
    rc=$?
} 9<>"$ca/lock"
refused "a lock that is held for a minute" 7 timeout 'process [0-9]+ has held' \
    'end it'
[ ! -e held.pem ]
ok $? "nothing is left of that"
rm "$ca/lock"
ln -s ../elsewhere "$ca/lock"
run cert new -q --out held held.test
[ "$rc" -eq 6 ] && [ ! -e "$ca/../elsewhere" ]
ok $? "a lock that is a link is not followed"
rm "$ca/lock"

run ca init -q --dir many --name Many
many() {
    for i in $(seq 25); do
        "$tlsock" cert new -q --ca many --out "m-$1-$i" "m$1-$i.test" || exit 1
    done
}
writers=
for w in 1 2 3 4 5 6 7 8; do
    many "$w" 2>"err.$w" &
    writers="$writers $!"
done
bad=0
for w in $writers; do
    wait "$w" || bad=1
done
cat err.* >err
ok $bad "eight processes issue 25 certificates each"
[ "$(grep -c '^V ' many/index)" -eq 200 ] &&
    [ "$(awk '/^V/ { print $2 }' many/index | sort -u | wc -l)" -eq 200 ] &&
    [ "$(tail -1 many/index)" = 'end 200' ]
ok $? "200 lines, 200 serials"
openssl verify -CAfile many/ca.pem many/certs/*.pem >log 2>&1 &&
    [ "$(grep -c ': OK$' log)" -eq 200 ]
ok $? "all of them verify"
for w in 1 8; do
    grep -q "$(serial_of "m-$w-25.pem")" many/index || bad=1
done
ok $bad "what was handed out is in it"
finish
