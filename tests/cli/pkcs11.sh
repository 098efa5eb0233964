#!/bin/sh
# Keys and certificates on a token, by "pkcs11:" URIs (RFC 7512): SoftHSM, if
# OpenSSL's provider for tokens is there; if not, what is said then.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
make_pki || exit 1

uri='pkcs11:token=tls;object=server'
module=
for m in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so \
    /usr/lib64/pkcs11/libsofthsm2.so; do
    [ -e "$m" ] && module=$m
done
modules=$(openssl version -m | sed 's/^MODULESDIR: "\(.*\)"$/\1/')

# A server that must not come up; a handshake with one that must.
no_server() {
    timeout 30 "$tlsock" serve 127.0.0.1:0 "$@" >"$dir/out" 2>"$dir/err" \
        </dev/null
    rc=$?
}
handshake() { # NAME SERVE-OPTIONS...
    name=$1
    shift
    if serve "$@" --show-client; then
        run connect "127.0.0.1:$port" --name app.test --ca "$anchor" \
            --cert "$client" --key "$client_key" --pass "$pin"
        stop
    else
        rc=1
    fi
    ok "$rc" "$name"
}
pin=file:$dir/pin
printf '1234\nsecond line\n' >pin
printf '4321\n' >bad-pin

# Without the provider, whatever is installed here.
export OPENSSL_MODULES="$dir"
no_server --cert pki/good.pem --key "$uri?pin-value=8642"
refused "without the provider: which one, and where it comes from" 2 \
    unsupported 'provider "pkcs11".*could not be loaded' 'pkcs11-provider'
! grep -q 8642 out err
ok $? "the PIN in a URI is never shown"
no_server --cert "$uri" --pass "$pin"
refused "the same for a certificate" 2 unsupported 'provider "pkcs11"' \
    'pkcs11-provider'
run connect 127.0.0.1:1 --cert "$uri" --pass "$pin"
refused "and for a client" 2 unsupported 'provider "pkcs11"' 'pkcs11-provider'
unset OPENSSL_MODULES

if [ ! -e "$modules/pkcs11.so" ] || [ -z "$module" ] ||
    ! command -v p11tool softhsm2-util >/dev/null; then
    skip "keys on a token" "no pkcs11-provider, SoftHSM and p11tool here"
    finish
fi
# The provider opens modules with a flag that this build forbids.
if ldd "$tlsock" 2>/dev/null | grep -q libasan; then
    skip "keys on a token" "AddressSanitizer forbids RTLD_DEEPBIND"
    finish
fi

mkdir tokens
echo "directories.tokendir = $dir/tokens" >softhsm2.conf
export SOFTHSM2_CONF="$dir/softhsm2.conf" PKCS11_PROVIDER_MODULE="$module"
put() { # LABEL ID KEY CERTIFICATE
    openssl pkcs8 -topk8 -nocrypt -in "$3" -out put.pk8 &&
        softhsm2-util --import put.pk8 --token tls --label "$1" --id "$2" \
            --pin 1234 &&
        p11tool --provider="$module" --login --set-pin=1234 --write \
            --load-certificate="$4" --label "$1" --id "$2" 'pkcs11:token=tls'
}
{
    softhsm2-util --init-token --free --label tls --so-pin 12345678 --pin 1234
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key
    "$tlsock" cert new --self-signed --key rsa.key --out rsa app.test
    put server 01 pki/good.key pki/good-leaf.pem
    put client 02 pki/client.key pki/client.pem
    put rsa 03 rsa.key rsa.pem
} >log 2>&1
p11tool --provider="$module" --login --set-pin=1234 --list-all \
    'pkcs11:token=tls' 2>&1 | grep -c '^Object' >count
[ "$(cat count)" -eq 9 ]
ok $? "three keys and their certificates are on the token"
anchor=pki/root.pem client=pki/client.pem client_key=pki/client.key
key=pki/good.key
handshake "a server whose key is on a token" --cert pki/good.pem \
    --key "$uri;type=private" --pass "$pin"
# the provider reads it, as RFC 7512 says: the PIN, and nothing else
head -1 pin | tr -d '\n' >pin-alone
handshake "the PIN's file may stand in the URI" --cert pki/good.pem \
    --key "$uri;type=private?pin-source=file:$dir/pin-alone"
anchor=pki/inter.pem
handshake "a certificate needs no PIN" --cert "$uri;type=cert" --key "$key"
handshake "certificate and key by one URI" --cert "$uri" --pass "$pin"
anchor=rsa.pem
handshake "an RSA key, and its certificate beside it" \
    --cert 'pkcs11:token=tls;object=rsa' --pass "$pin"
anchor=pki/root.pem client_key='pkcs11:token=tls;id=%02;type=private'
handshake "a client whose key is on a token, by its id" \
    --cert pki/good.pem --key "$key" --client-auth require --ca pki/root.pem
if [ -x "${TOKEN_CALLS:-}" ]; then
    TOKEN_URI=$uri TOKEN_PIN=$pin TOKEN_CERT=pki/good-leaf.pem \
        "$TOKEN_CALLS" >log 2>&1
    ok $? "the library's calls with a key that cannot leave its token"
fi

no_server --cert "$uri" --pass "file:$dir/bad-pin"
refused "a wrong PIN" 6 password 'PIN that was given does not open' \
    'lock themselves'
no_server --cert "$uri;type=cert" --key "$uri?pin-value=4321"
refused "a wrong PIN in the URI" 6 password \
    'PIN that was given does not open.*pin-value=\.\.\.' 'lock themselves'
no_server --cert "$uri"
refused "no PIN" 6 password 'needs a PIN and none was given' 'file:FILE'
no_server --cert "$uri" --pass env:NO_SUCH_PIN
refused "a PIN that is not there" 6 password 'NO_SUCH_PIN' 'set and export'
no_server --cert 'pkcs11:token=tls;object=none' --pass "$pin"
refused "an object that is not there" 6 own-file \
    'no certificate at "pkcs11:token=tls;object=none"' 'p11tool --list'
no_server --cert pki/good.pem --key 'pkcs11:token=tls;object=none' \
    --pass "$pin"
refused "a key that is not there" 6 own-file \
    'no private key at "pkcs11:token=tls;object=none"' 'p11tool --list'
no_server --cert 'pkcs11:token=none;object=server?pin-value=1234'
refused "a token that is not there" 6 own-file \
    'no certificate at "pkcs11:token=none;object=server.pin-value=\.\.\."' \
    'p11tool --list'
no_server --cert "$uri;type=private" --pass "$pin"
refused "a key's URI is no certificate's" 6 own-file \
    'does not name a certificate' 'type=cert'
no_server --cert pki/good.pem --key 'pkcs11:token=tls;object=client' \
    --pass "$pin"
refused "a key on the token that belongs to another certificate" 6 \
    key-mismatch 'pkcs11:token=tls;object=client.* does not belong' \
    'cert match'
PKCS11_PROVIDER_MODULE=/nowhere.so no_server --cert "$uri" --pass "$pin"
refused "a module that is not there" 6 own-file 'pkcs11:token=tls' \
    'PKCS11_PROVIDER_MODULE'
finish
