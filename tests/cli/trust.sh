#!/bin/sh
# trust install, uninstall, list: each kind of store in a scratch home and
# below --root, judged by the stores' own programs. The machine's own stores
# are never written to.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkdir data
unset JAVA_HOME SUDO_USER
root=$dir/root
db=$dir/.pki/nssdb
for n in certutil keytool update-ca-certificates openssl; do
    command -v $n >/dev/null 2>&1 || PATH=$PATH:/usr/sbin
    command -v $n >/dev/null 2>&1 || {
        echo "Bail out! $n is not there: tools/install-packages check"
        exit 1
    }
done

# Everything below a directory: names, modes, links, contents.
snapshot() { # DIR
    (cd "$1" && find . -printf '%p %m %l\n' | sort &&
        find . -type f -exec cksum {} + | sort -k 3)
}
same() { # NAME DIR SNAPSHOT
    snapshot "$2" >now
    cmp -s "$3" now
    ok $? "$1"
}
said() { # NAME EXIT REGEX...: exit code, and lines on stdout or stderr
    name=$1
    [ "$rc" -eq "$2" ]
    good=$?
    shift 2
    for r in "$@"; do
        cat out err | grep -Eq -e "$r" || good=1
    done
    ok "$good" "$name"
}
json() { # NAME EXPR
    perl -MJSON::PP -e '
        our $o = decode_json(join "", <STDIN>);
        $o->{schema} eq "tlsock.trust/1" && eval($ARGV[0]) or exit 1' \
        "$2" <out
    ok $? "$1"
}
self_signed() { # FILE SUBJECT EXTENSION...
    f=$1 subject=$2
    shift 2
    printf '[req]\ndistinguished_name=n\n[n]\n[x]\n' >x.cnf
    printf '%s\n' "$@" >>x.cnf
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$f.key" -out "$f.pem" -days 30 -subj "$subject" -utf8 \
        -config x.cnf -extensions x >log 2>&1
}
nicks() { certutil -L -d "sql:$1" | sort; }
aliases() {
    keytool -list -keystore "$1" -storepass changeit 2>/dev/null |
        grep -Ev '^(Your keystore|Keystore|$)' | sort
}
basic=basicConstraints=critical,CA:true
self_signed foreign '/CN=Somebody else' "$basic"
self_signed leaf '/CN=leaf.test' basicConstraints=CA:false
self_signed wild '/CN=May do all' "$basic"

run trust install
refused "no CA, no file" 6 own-file 'no local CA' 'ca init'
run trust list
said "list without a CA shows the stores" 0
run trust uninstall
refused "uninstall without anything to go by" 6 own-file 'no local CA' \
    'fingerprint'
for f in nss java; do
    HOME=/ run trust install wild.pem --$f --root "$dir/data"
    said "--$f where there is none" 6 ': own-file' 'cause: no '
done
run trust install wild.pem --system --root "$dir/data"
refused "--system where there is none" 6 own-file 'no store of the system' \
    'ca-certificates'
run trust install wild.pem --root "$dir/data"
said "no store of any kind" 6 'there is no store'

run trust install leaf.pem --nss
refused "a leaf is refused" 6 not-a-ca 'leaf.test' 'CA'
run trust install missing.pem --nss
said "a missing file" 6 ': own-file$' 'missing.pem'
echo nonsense >nonsense.pem
run trust install nonsense.pem --nss
said "a file that is no certificate" 6 ': own-file$'
make_pki
run trust install pki/inter.pem --nss
refused "an intermediate is refused" 6 not-a-root 'Test Root CA' 'that root'
run trust install pki/root-expired.pem --nss
refused "an expired CA is refused" 6 expired '20[0-9][0-9]-' 'ca init'
[ ! -e "$dir/.pki" ]
ok $? "and none of them made a database"

run ca init
ca=$dir/data/tlsock/ca/ca.pem
hex=$(openssl x509 -in "$ca" -noout -fingerprint -sha256 |
    sed 's/.*=//; s/://g' | tr A-F a-f)
short=$(printf %.16s "$hex")
nick="tlsock local CA $short"

# The system's store.
mkdir -p "$root/usr/local/share/ca-certificates" "$root/etc/ssl/certs"
touch "$root/etc/ca-certificates.conf"
anchors=$root/usr/local/share/ca-certificates
bundle=$root/etc/ssl/certs/ca-certificates.crt
snapshot "$root" >empty
run trust install --system --root "$root"
said "system: installed" 0 '^installed +system +Debian'
[ "$(stat -c %a "$anchors/tlsock-local-CA-$short.crt")" = 644 ] &&
    cmp -s "$ca" "$bundle"
ok $? "system: the file, mode 0644, and the bundle"
run cert new app.test
openssl verify -no-CAfile -CApath "$root/etc/ssl/certs" app.test.pem >log 2>&1
ok $? "system: openssl verifies with it, over links that stay below the root"
! find "$root" -type l -printf '%l\n' | grep -q "$dir"
ok $? "system: and that do not name the place where it was made"
snapshot "$root" >once
run trust install --system --root "$root"
said "system: a second time nothing happens" 0 'there already'
same "system: truly nothing" "$root" once
run trust list --system --root "$root"
said "system: list" 0 '^trusted +system' "ours +tlsock-local-CA-$short" \
    "sha256:$hex"
run trust uninstall --system --root "$root" --dry-run
said "system: uninstall --dry-run" 0 '^would-drop +system'
same "system: which changes nothing" "$root" once
run trust uninstall --system --root "$root"
said "system: removed" 0 '^removed +system'
same "system: the last one leaves nothing behind" "$root" empty
run trust uninstall --system --root "$root"
said "system: removing again is no error" 0 '^absent +system'
run trust install --system --root "$root" --dry-run
said "system: --dry-run" 0 '^would-add +system'
same "system: which changes nothing either" "$root" empty

cp foreign.pem "$anchors/somebody.crt"
cp wild.pem "$anchors/tlsock-not-$short.crt"
relative=../../../usr/local/share/ca-certificates
update-ca-certificates --etccertsdir "$root/etc/ssl/certs" --certsconf \
    "$root/etc/ca-certificates.conf" --localcertsdir $relative \
    --hooksdir /dev/null >log 2>&1
snapshot "$root" >others
run trust install --system --root "$root"
said "system: beside others" 0 '^installed'
run trust uninstall --system --root "$root" --fingerprint "$short"
said "system: removed by its fingerprint" 0 '^removed'
same "system: others are as they were, whatever their names" "$root" others
run trust install foreign.pem --system --root "$root"
said "system: what somebody else installed is trusted" 0 'somebody else'
run trust uninstall foreign.pem --system --root "$root"
said "system: and stays" 0 '^absent .*somebody else'
same "system: untouched" "$root" others

# A program that fails, that does nothing, that is killed.
mkdir bin none
for n in sh kill certutil openssl chmod; do
    ln -s "$(command -v $n)" bin/ 2>/dev/null
done
fake() { # NAME COMMAND
    rm -f "bin/$1"
    printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
    chmod +x "bin/$1"
}
real=$PATH
short_path() { # ARGS...
    PATH=$dir/$1
    shift
    "$tlsock" "$@" >out 2>err </dev/null
    rc=$?
    PATH=$real
}
fake update-ca-certificates 'echo "disk full" >&2; exit 3'
short_path bin trust install --system --root "$root"
refused "system: its program fails" 6 own-file 'ended with 3: disk full' 'hand'
same "system: then nothing is left behind" "$root" others
run trust install --system --root "$root"
short_path bin trust uninstall --system --root "$root"
refused "system: its program fails at the removal" 6 own-file 'disk full' \
    'hand'
update-ca-certificates --etccertsdir "$root/etc/ssl/certs" --certsconf \
    "$root/etc/ca-certificates.conf" --localcertsdir $relative \
    --hooksdir /dev/null --fresh >log 2>&1
same "system: the file went all the same" "$root" others
fake update-ca-certificates 'kill -9 $$'
short_path bin trust install --system --root "$root"
refused "system: its program is killed" 6 own-file 'ended with 137' 'hand'
fake update-ca-certificates 'exit 0'
short_path bin trust install --system --root "$root"
refused "system: its program does nothing" 6 own-file 'not in the store' 'again'
run trust uninstall --system --root "$root"
same "system: uninstall mends it" "$root" others
printf '\177ELF' >bin/update-ca-certificates
short_path bin trust install --system --root "$root"
said "system: its program cannot be run" 6 'update-ca-certificates: '
short_path none trust install --system --root "$root"
refused "system: its program is missing" 6 missing-program \
    'update-ca-certificates' 'package ca-certificates'
same "system: and nothing was done" "$root" others

mv "$bundle" bundle && mkdir "$bundle"
run trust list --system --root "$root"
said "system: a bundle that cannot be read" 6 ': own-file$' 'ca-certificates.crt'
rmdir "$bundle" && mv bundle "$bundle"
mv "$root/etc/ca-certificates.conf" conf
run trust install --system --root "$root"
refused "system: a root without its configuration" 6 own-file \
    'has no /etc/ssl/certs or no' 'package ca-certificates'
mv conf "$root/etc/ca-certificates.conf"
same "system: nothing is left of it" "$root" others
TMPDIR=$dir/nowhere run trust install --system --root "$root"
refused "no place for a temporary file" 6 own-file 'temporary file' TMPDIR

# Other distributions: placed, for their own program to be run in there.
for where in etc/pki/ca-trust/source/anchors \
    etc/ca-certificates/trust-source/anchors etc/pki/trust/anchors; do
    mkdir -p "$dir/other/$where"
    snapshot other >before
    run trust install --system --root "$dir/other"
    said "$where: placed, and what is left to do is said" 0 \
        '^placed .*own program'
    cmp -s "$ca" "other/$where/tlsock-local-CA-$short.pem"
    ok $? "$where: the file"
    run trust uninstall --system --root "$dir/other"
    said "$where: removed" 0 '^removed'
    same "$where: as before" other before
    rm -r other
done
run trust install --root "$dir/nowhere"
said "--root that is not there" 6 ': own-file$' 'nowhere'
mkdir out-of-root inner inner/etc inner/usr
ln -s "$dir/out-of-root" inner/usr/local
mkdir -p out-of-root/share/ca-certificates
run trust install --system --root "$dir/inner"
said "a link that leads out of --root is not followed" 6 'no store'
[ -z "$(ls out-of-root/share/ca-certificates)" ]
ok $? "nothing was written there"

# NSS.
run trust install --nss --dry-run
said "nss: --dry-run" 0 '^would-add +nss .*made too'
[ ! -e "$dir/.pki" ]
ok $? "nss: which makes nothing"
run trust install --nss
said "nss: the shared database is made" 0 '^installed +nss'
certutil -L -d "sql:$db" | grep -q "^$nick  *C,,"
ok $? "nss: certutil shows it, trusted for servers alone"
certutil -V -u L -n "$nick" -d "sql:$db" >log 2>&1
ok $? "nss: and verifies it as a CA of servers"
[ "$(stat -c %a "$db")" = 700 ]
ok $? "nss: its directory has mode 0700"
run trust uninstall --nss
nicks "$db" >now
! grep -q tlsock now
ok $? "nss: removed"

rm -r .pki
echo >.pki
run trust install --nss
said "nss: the database cannot be made" 6 "$db: own-file"
rm .pki
fake chromium true
short_path bin trust install --dry-run
said "nss: with Chromium, the shared database is wanted without being named" \
    "$rc" '^would-add +nss .*made too'
rm bin/chromium
short_path bin trust install --dry-run
! grep -q ' nss ' out
ok $? "nss: without any, it is not"
run trust install --nss
run trust uninstall --nss

base=.mozilla/firefox
for p in one 'two words'; do
    mkdir -p "$base/$p" && certutil -N -d "sql:$base/$p" --empty-password
done
mkdir -p "$base/Crash Reports" snap/firefox/common/.mozilla/firefox/s \
    .thunderbird/mail
certutil -N -d sql:snap/firefox/common/.mozilla/firefox/s --empty-password
certutil -N -d sql:.thunderbird/mail --empty-password
# the same subject as ours, two more of its own, and one that is distrusted
self_signed twin '/CN=tlsock local CA' "$basic"
certutil -A -d "sql:$base/one" -a -i twin.pem -n "tlsock twin" -t CT,C,
certutil -A -d "sql:$base/one" -a -i foreign.pem -n "-n foreign, C,," -t ,,
certutil -A -d "sql:$base/one" -a -i wild.pem -n "tlsock x $short" -t p,p,p
nicks "$base/one" >one
nicks "$base/two words" >two
run trust install --nss
said "nss: every profile and database" 0 'Firefox one' 'Firefox two words' \
    'Firefox, snap s' 'Thunderbird mail' 'shared' 'restart'
[ "$(grep -c '^installed' out)" -eq 5 ]
ok $? "nss: five of them"
run trust install --nss
[ "$rc" -eq 0 ] && [ "$(grep -c 'there already' out)" -eq 5 ]
ok $? "nss: a second time nothing happens"
run trust list --nss --json
json "nss: list --json" '@{$o->{stores}} == 5 &&
    !grep { $_->{state} ne "trusted" || @{$_->{ours}} != 1 } @{$o->{stores}}'
mv data/tlsock kept
colons=$(printf %s "$hex" | sed 's/../&:/g; s/:$//' | tr a-f A-F)
run trust list --nss
said "nss: the CA's file is gone, what it left is shown" 0 "$hex"
run trust uninstall --nss --fingerprint "sha256:$colons"
[ "$rc" -eq 0 ] && [ "$(grep -c '^removed' out)" -eq 5 ]
ok $? "nss: removed by its fingerprint"
mv kept data/tlsock
nicks "$base/one" >now
cmp -s one now
ok $? "nss: a twin, a stranger, a look-alike are as they were"
nicks "$base/two words" >now
cmp -s two now
ok $? "nss: and so is an empty one"
run trust install foreign.pem --nss
said "nss: somebody meant it not to be trusted" 6 'not trusted' \
    'remove it there' '^installed'
run trust uninstall foreign.pem --nss
nicks "$base/one" >now
cmp -s one now
ok $? "nss: so it stays"
run trust install twin.pem --nss
said "nss: trusted by another name" 0 '^trusted .*somebody else'
run trust uninstall twin.pem --nss
nicks "$base/one" >now
cmp -s one now
ok $? "nss: which stays"
certutil -M -d "sql:$db" -n "$nick" -t p,p,p 2>/dev/null
run trust install --nss
certutil -M -d "sql:$db" -n "$nick" -t ,,
run trust list --nss
said "nss: trust that was taken away is seen" 0 '^untrusted' 'NOT TRUSTED'
run trust install --nss
certutil -L -d "sql:$db" | grep -q "^$nick  *C,,"
ok $? "nss: and given again"
run trust uninstall --nss

mv bin/certutil certutil.kept
printf '\177ELF' >bin/certutil
chmod +x bin/certutil
short_path bin trust install --nss
said "nss: certutil cannot be run" 6 'cause: .*/certutil: '
mv certutil.kept bin/certutil
short_path none trust install --nss
refused "nss: certutil is missing" 6 missing-program certutil libnss3-tools
[ "$(grep -c 'missing-program' err)" -eq 1 ]
ok $? "nss: said once"
short_path none trust install --nss --json
json "nss: in JSON" '$o->{exit} == 6 && @{$o->{stores}} == 1 &&
    $o->{stores}[0]{code} eq "missing-program" && $o->{stores}[0]{fix}'
# certutil says it did, and did not
certutil_but() { # COMMAND WHAT: it does this instead of that command
    fake certutil "case \" \$* \" in *' $1 '*) $2;; esac
        exec $(command -v certutil) \"\$@\""
}
run trust uninstall --nss
certutil_but -A 'exit 0'
short_path bin trust install --nss
refused "nss: certutil -A does nothing: found out" 6 own-file \
    'added, but is not' 'again'
run trust install --nss
certutil_but -D 'exit 0'
short_path bin trust uninstall --nss
refused "nss: certutil -D does nothing: found out" 6 own-file \
    'removed, but is still' 'again'
certutil_but -D 'echo locked >&2; exit 5'
short_path bin trust uninstall --nss
refused "nss: certutil -D fails" 6 own-file 'ended with 5: locked' 'close it'
run trust uninstall --nss
# a password of the user's own is asked for at a terminal, and here is none
echo secret >password
mkdir "$base/locked"
certutil -N -d "sql:$base/locked" -f password
nicks "$base/locked" >locked
setsid -w "$tlsock" trust install --nss >out 2>err </dev/null
rc=$?
refused "nss: a database with a password" 6 own-file 'PASSWORD|LOGGED_IN' \
    'at a terminal'
nicks "$base/locked" >now
cmp -s locked now
ok $? "nss: nothing of ours stays in it"
rm -r "$base/locked"
run trust uninstall --nss
echo garbage >"$base/one/cert9.db"
run trust install --nss
said "nss: a broken database does not keep the others" 6 \
    'firefox/one: own-file' 'certutil ended with' '^installed .*two words'
run trust uninstall --nss
rm -r .mozilla snap .thunderbird

# Whatever the CA is called, its name is a name.
bad=$(printf -- '-n "x\047 $(touch pwned)\n; `touch pwned` \303\244:%%s\\')
self_signed hostile "/CN=$(printf %s "$bad" | sed 's/\\/\\\\/g')" "$basic"
run trust install hostile.pem --system --root "$root"
said "a hostile name: warned of, and installed" 0 'WARNING.*EVERY NAME' \
    '^installed +system'
run trust install hostile.pem --nss
[ "$rc" -eq 0 ] && certutil -L -d "sql:$db" | grep -q '^tlsock -n _x'
ok $? "a hostile name in NSS"
run trust install hostile.pem --nss --json
json "a hostile name in JSON" '$o->{warning} && $o->{ca}{any_name}'
[ "$(ls "$anchors" | grep -c '^tlsock-[A-Za-z0-9._+-]*$')" -eq 2 ] &&
    [ ! -e pwned ] && [ ! -e "$anchors/pwned" ]
ok $? "nothing of it was run, nor is it in a file's name"
run trust uninstall hostile.pem --nss
run trust uninstall hostile.pem --system --root "$root"
same "a hostile name, removed" "$root" others
nicks "$db" >now
! grep -q tlsock now
ok $? "from NSS too"
run trust install -q wild.pem --nss
[ "$rc" -eq 0 ] && [ ! -s out ] && grep -q 'EVERY NAME' err
ok $? "a CA that may sign every name is warned of even with -q"
run trust uninstall wild.pem --nss
run trust install --nss
! grep -q 'EVERY NAME' err
ok $? "the local CA, which may not, is not"
run trust uninstall --nss

# Java.
store=$root/etc/ssl/certs/java/cacerts
mkdir -p "$root/etc/ssl/certs/java" "$root/usr/lib/jvm/j1/lib/security" \
    "$root/usr/lib/jvm/j2/lib/security" "$root/usr/lib/jvm/j3/lib/security"
keytool -importcert -noprompt -alias somebody -file foreign.pem \
    -keystore "$store" -storepass changeit >log 2>&1
keytool -importcert -noprompt -alias other -file foreign.pem \
    -keystore "$root/usr/lib/jvm/j2/lib/security/cacerts" \
    -storepass 'other word' >log 2>&1
ln -s /etc/ssl/certs/java/cacerts "$root/usr/lib/jvm/j1/lib/security/cacerts"
cp "$store" "$dir/out-of-root/cacerts"
ln -s ../../../../../../../out-of-root/cacerts \
    "$root/usr/lib/jvm/j3/lib/security/cacerts"
aliases "$store" >java
cp "$store" cacerts.before
run trust install --java --root "$root" --json
json "java: one of them has another password, the other is done" \
    '$o->{exit} == 6 && @{$o->{stores}} == 2 &&
    1 == grep { $_->{state} eq "failed" && $_->{cause} =~ /password/ &&
        $_->{fix} =~ /changeit/ } @{$o->{stores}}'
rm -r "$root/usr/lib/jvm/j2"
aliases "$store" | grep -qi "^$nick, .*trustedCertEntry"
ok $? "java: keytool shows it"
cmp -s cacerts.before "$dir/out-of-root/cacerts"
ok $? "java: a store that is out of the root is not touched"
rm -r "$root/usr/lib/jvm/j3"
cp "$store" cacerts.once
run trust install --java --root "$root"
said "java: a second time nothing happens" 0 'there already'
cmp -s "$store" cacerts.once
ok $? "java: truly nothing"
# as Debian's hook names what the system's store hands on
keytool -importcert -noprompt -alias "debian:tlsock-local-CA-$short.pem" \
    -file "$ca" -keystore "$store" -storepass changeit >log 2>&1
keytool -importcert -noprompt -alias "debian:else-$short.pem" \
    -file wild.pem -keystore "$store" -storepass changeit >log 2>&1
run trust uninstall --system --root "$root"
said "java: what came from the system's store goes with it" 0 '^removed +java'
aliases "$store" >now
grep -qi "^$nick" now && ! grep -q debian:tlsock now && grep -q debian:else now
ok $? "java: that alone"
run trust uninstall --java --root "$root"
said "java: removed" 0 '^removed +java'
keytool -delete -alias "debian:else-$short.pem" -keystore "$store" \
    -storepass changeit >log 2>&1
aliases "$store" >now
cmp -s java now
ok $? "java: the same list as before"
run trust uninstall --java --root "$root"
said "java: removing again is no error" 0 '^absent +java'
run trust install foreign.pem --java --root "$root"
said "java: what somebody else installed is trusted" 0 'somebody else'
for n in -importcert -delete; do
    fake keytool "case \" \$* \" in *' $n '*) echo 'keytool error: full' &&
        exit 1;; esac
        exec $(command -v keytool) \"\$@\""
    verb=install
    [ $n = -importcert ] || verb=uninstall
    short_path bin trust $verb --java --root "$root"
    refused "java: keytool $n fails" 6 own-file 'ended with 1: .*full' 'hand'
    run trust install --java --root "$root"
done
rm bin/keytool
run trust uninstall --java --root "$root"
mkdir -p jh/bin jh/lib/security
cp "$store" jh/lib/security/cacerts
JAVA_HOME=$dir/jh run trust list --java
grep -q "java .*$dir/jh/lib/security/cacerts" out
ok $? "java: the one of JAVA_HOME"
printf '\177ELF' >jh/bin/keytool
chmod +x jh/bin/keytool
JAVA_HOME=$dir/jh run trust list --java
said "java: with a keytool of its own, which cannot be run" 6 \
    'jh/lib/security/cacerts: own-file' 'cause: .*jh/bin/keytool: '
other="$dir/$(printf 'j\303\244 va')"
mkdir -p "$other/etc/ssl/certs/java"
cp "$store" "$other/etc/ssl/certs/java/cacerts"
run trust install --java --root "$other"
said "java: a path with blanks and umlauts" 0 '^installed +java'
short_path none trust install --java --root "$root"
refused "java: keytool is missing" 6 missing-program keytool default-jre

# All of them at once; one that fails keeps no other.
mkdir -p "$root$dir/.mozilla/firefox/p"
certutil -N -d "sql:$root$dir/.mozilla/firefox/p" --empty-password
run trust install --root "$root"
said "all that is there, below the root" 0 '^installed +system' \
    '^installed +nss +Firefox p' '^installed +java'
[ ! -e "$root$dir/.pki" ]
ok $? "a database that nobody asked for is not made"
run trust uninstall --all --root "$root"
[ "$rc" -eq 0 ] && [ "$(grep -c '^removed' out)" -eq 3 ]
ok $? "and taken back"
fake update-ca-certificates 'exit 3'
short_path bin trust install --root "$root" --json
json "two fail, one is done, each is said" '$o->{exit} == 6 &&
    join(",", map { $_->{state} } @{$o->{stores}}) eq
        "failed,installed,failed"'
run trust uninstall --root "$root"

# Somebody who may not.
as_nobody() {
    setpriv --reuid nobody --regid nogroup --clear-groups "$@"
}
if [ "$(id -u)" -ne 0 ]; then
    chmod 555 "$anchors"
    as_nobody() { "$@"; }
fi
chmod 711 "$dir"
chmod 755 "$dir/data" "$dir/data/tlsock" "$dir/data/tlsock/ca"
if as_nobody "$tlsock" version >/dev/null 2>&1; then
    mkdir -m 777 home
    as_nobody mkdir home/own
    export TMPDIR="$dir/home/own"
    HOME=$dir/home/own as_nobody "$tlsock" trust install --system --nss \
        --root "$root" "$ca" >out 2>err
    rc=$?
    refused "not root: the system's store says how" 6 permission \
        'may not write' "sudo tlsock trust install --system --root $root $ca"
    HOME=$dir/home/own as_nobody "$tlsock" trust install --nss "$ca" \
        >out 2>err
    rc=$?
    said "not root: NSS works" 0 '^installed +nss'
    HOME=$dir/home/own as_nobody "$tlsock" trust uninstall --system \
        --root "$root" "$ca" >out 2>err
    rc=$?
    said "not root: nothing to remove is no error" 0 '^absent'
    chmod 755 "$anchors"
    run trust install --system --root "$root"
    [ "$(id -u)" -eq 0 ] || chmod 555 "$anchors"
    HOME=$dir/home/own as_nobody "$tlsock" trust uninstall --system \
        --root "$root" --fingerprint "$hex" >out 2>err
    rc=$?
    refused "not root: removing says how too" 6 permission 'may not write' \
        "sudo tlsock trust uninstall --system --root $root --fingerprint $hex"
    if [ "$(id -u)" -eq 0 ]; then
        HOME=$dir/home/own run trust install --nss
        refused "root leaves another user's home alone" 6 permission \
            'belongs to user' 'without sudo'
    fi
    rm -rf home
    unset TMPDIR
else
    skip "not root" "another user cannot run this binary"
fi

for f in 12 xyz "$hex"0 "$short:" ''; do
    run trust uninstall --nss --fingerprint "$f"
    [ "$rc" -eq 2 ]
    ok $? "\"$f\" is no fingerprint"
done
run trust install "$(printf %05000d 0)"
refused "a path of 5000 characters" 2 usage 'too long' 'help'
run trust uninstall "$ca" --fingerprint "$hex"
refused "a file and a fingerprint" 2 usage 'together' 'one of them'
run trust install --fingerprint "$hex"
said "install wants the certificate" 2 'no option --fingerprint'
finish
