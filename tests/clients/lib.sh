# What the scripts here share: a local CA, a server for each kind of key, and
# the clients. They use the machine's own store of trust, since that is what
# clients go by, and bring it back to what it was: only one at a time.
. "$(dirname "$0")/../cli/lib.sh"
beds=$here
here=$(cd "$beds/../cli" && pwd)
cd "$dir" || exit 1
mkdir data www profile
PATH=$PATH:/usr/sbin:/sbin
export PATH
# what would keep a client from using the system's own store
for v in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p' |
    grep -iE '^(SSL_CERT|CURL_CA|REQUESTS_CA|NODE_EXTRA|GIT_SSL|JAVA_|JDK_|XDG_|SUDO_)|_proxy$'); do
    unset "$v"
done
export XDG_DATA_HOME="$dir/data"

if [ "$(id -u)" -ne 0 ]; then
    echo "1..0 # SKIP only root can change the system's store of trust"
    exit 0
fi
need() { # PROGRAM...
    for n in "$@"; do
        command -v "$n" >/dev/null 2>&1 || {
            echo "Bail out! $n is not there: tools/install-packages clients"
            exit 1
        }
    done
}
need update-ca-certificates flock openssl
# the descriptor is closed when this process ends, however it does
exec 9>"${TMPDIR:-/tmp}/tlsock-clients.lock"
flock 9

# Taken back whatever happens, even if this directory is no more.
installed=
take_back() {
    cd / || exit 1
    [ -z "$installed" ] || "$tlsock" trust uninstall --fingerprint \
        "$installed" >/dev/null 2>&1
    clean_up
}
trap take_back EXIT

marker="this page came over a trusted connection"
echo "<html><body><p>$marker</p></body></html>" >www/index.html

# certs TYPE...: the CA, a certificate of each kind, and one for other.test.
make_certs() {
    "$tlsock" ca init >log 2>&1 || return
    for k in "$@"; do
        "$tlsock" cert new --key-type "$k" --out "$k" app.test localhost \
            127.0.0.1 >log 2>&1 || return
    done
    "$tlsock" cert new --out other other.test >log 2>&1
}

# A server for each; port_of KIND is where.
serve_all() { # KIND...
    for k in "$@"; do
        serve --cert "$k.pem" --key "$k.key" --files www 9>&- || return
        echo "$port" >"port.$k"
    done
}
port_of() {
    cat "port.$1"
}

# The client got the page.
loads() { # NAME RESULT
    [ "$2" -eq 0 ] && grep -q "$marker" out
    ok $? "$1"
}
# It did not, and said why.
refuses() { # NAME RESULT REGEX
    [ "$2" -ne 0 ] && ! grep -q "$marker" out && cat out err | grep -Eq "$3"
    ok $? "$1"
}

# What becomes of the machine's store, and of Java's.
state() {
    (cd /usr/local/share/ca-certificates && find . -type f -exec cksum {} + |
        sort)
    (cd /etc/ssl/certs && find . -maxdepth 1 -printf '%p %l\n' | sort &&
        cksum ca-certificates.crt)
    [ ! -e /etc/ssl/certs/java/cacerts ] ||
        keytool -list -keystore /etc/ssl/certs/java/cacerts -storepass \
            changeit 2>/dev/null | grep -i fingerprint | sort
}
