#!/bin/sh
# trust, where programs answer too much or fail at the one step, and places
# cannot be read, written or named: said for each store, and nothing is left.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
"$tlsock" ca init >log 2>&1 || exit 1
ca=$dir/data/tlsock/ca/ca.pem
hex=$(openssl x509 -in "$ca" -noout -fingerprint -sha256 |
    sed 's/.*=//; s/://g' | tr A-F a-f)
short=$(printf %.16s "$hex")

mkdir bin
for n in sh mkdir head cat; do
    ln -s "$(command -v $n)" bin/
done
fake() { # NAME COMMAND
    printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
    chmod +x "bin/$1"
}
run_by() { # with these programs alone
    PATH=$dir/bin timeout 60 "$tlsock" "$@" >out 2>err </dev/null
    rc=$?
}
timeout=$(command -v timeout)
ln -s "$timeout" bin/

# ---- the databases of browsers
fake certutil 'case $* in *-N*) echo "no entropy" >&2; exit 9;; esac'
run_by trust install --nss "$ca"
refused "nss: a database that cannot be made" 6 own-file \
    'certutil ended with 9: no entropy' .
mkdir -p .mozilla/firefox/a.default && : >.mozilla/firefox/a.default/cert9.db
fake certutil 'case $* in
*-n*) exec head -c 70000000 /dev/zero ;;
*-L*) echo "tlsock local CA '"$short"'   C,," ;;
esac'
run_by trust list --nss
grep -q 'certutil: File too large' err && [ "$rc" -eq 6 ]
ok $? "nss: an answer without end"
fake certutil 'case $* in
*-n*) cat "'"$ca"'" ;;
*-L*) echo "tlsock local CA '"$short"'   C,,"; echo no line of it; echo "x ,,,,"
    echo "   C,,"; echo "y q,,"; echo ;;
esac'
run_by trust list --nss
[ "$rc" -eq 0 ] && [ "$(grep -c '^  ours' out)" -eq 1 ] &&
    grep -q "sha256:$hex" out
ok $? "nss: its twin; lines that are none are passed over"

# ---- Java
fake keytool 'exec head -c 70000000 /dev/zero'
mkdir -p jdk/lib/security jdk/bin && : >jdk/lib/security/cacerts
JAVA_HOME=$dir/jdk run_by trust list --java
grep -q 'keytool: File too large' err && [ "$rc" -eq 6 ]
ok $? "java: an answer without end"

# ---- the system's store, below another root
fake update-ca-certificates 'exit 0'
anchors=usr/local/share/ca-certificates
debian() { # DIR
    mkdir -p "$1/$anchors" "$1/etc/ssl/certs" && : >"$1/etc/ca-certificates.conf"
}
debian root
mkdir "root/$anchors/tlsock-local-CA-$short.crt"
run_by trust install --system --root root "$ca"
refused "system: a directory has the name" 6 own-file 'Is a directory' .
rmdir "root/$anchors/tlsock-local-CA-$short.crt"
cp "$ca" "root/$anchors/tlsock-$(printf '%0150d' 0)-$short.crt"
run_by trust uninstall --system --root root "$ca"
[ "$rc" -eq 0 ] && [ -z "$(ls root/$anchors)" ]
ok $? "system: a long name is removed, too"
d=root
while [ $((4080 - ${#dir} - ${#d} - ${#anchors})) -gt 230 ]; do
    d=$d/$(printf '%0200d' 0)
done
d=$d/$(printf '%0*d' $((4081 - ${#dir} - ${#d} - ${#anchors})) 0)
(
    for part in $(printf '%s/%s' "$d" "$anchors" | tr / ' '); do
        mkdir -p "$part" && cd "$part" || exit 1
    done
    cd ../../../../ && mkdir -p etc/ssl/certs && : >etc/ca-certificates.conf
)
run_by trust install --system --root "$d" "$ca"
grep -q 'path is too long' err && [ "$rc" -eq 6 ]
ok $? "system: a file's name that is too long"
rm -rf root
if [ "$(id -u)" -eq 0 ] && command -v setpriv >log &&
    setpriv --reuid=65534 --clear-groups "$tlsock" version >log 2>&1; then
    chmod 755 "$dir" "$dir/data" "$dir/data/tlsock" "$dir/data/tlsock/ca"
    other() {
        PATH=$dir/bin:$PATH setpriv --reuid=65534 --clear-groups "$tlsock" "$@" \
            >out 2>err </dev/null
        rc=$?
    }
    debian root
    chmod -R go+rX root
    other trust uninstall --system --root "$dir/root" --fingerprint "$hex"
    [ "$rc" -eq 0 ]
    ok $? "system: nothing to remove of somebody else's"
    cp "$ca" "root/$anchors/tlsock-local-CA-$short.crt"
    other trust uninstall --system --root "$dir/root" --fingerprint "$hex"
    refused "system: a store of somebody else" 6 permission 'may not write' \
        "sudo tlsock trust uninstall --system --root $dir/root --fingerprint $hex"
    chmod 1777 "root/$anchors"
    other trust uninstall --system --root "$dir/root" --fingerprint "$hex"
    grep -Eq "cause: .*tlsock-local-CA-$short.crt: Operation not permitted" err &&
        [ "$rc" -eq 6 ] && [ -e "root/$anchors/tlsock-local-CA-$short.crt" ]
    ok $? "system: a file of somebody else in a directory of all"
    chmod 700 "root/$anchors"
    other trust list --system --root "$dir/root"
    grep -q 'ca-certificates: Permission denied' err && [ "$rc" -eq 6 ]
    ok $? "system: a store that cannot be read"
    chmod 755 "root/$anchors"
    cp "$ca" root/etc/ssl/certs/ca-certificates.crt
    chmod 600 root/etc/ssl/certs/ca-certificates.crt
    other trust list --system --root "$dir/root"
    grep -q 'ca-certificates.crt: Permission denied' err && [ "$rc" -eq 6 ]
    ok $? "system: a bundle that cannot be read"
else
    skip "stores of somebody else" "only root can be another user"
fi
finish
