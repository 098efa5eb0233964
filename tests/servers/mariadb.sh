#!/bin/sh
# MariaDB: the SSLRequest inside the handshake of its own protocol.
. "$(dirname "$0")/lib.sh"
need mariadbd mariadb-install-db mariadb openssl
make_bed_pki

cp "$chain" served.pem
cp "$key" served.key
mkdir tmp
chown nobody served.key tmp
mariadb-install-db --no-defaults --user=nobody --datadir="$dir/db" \
    --auth-root-authentication-method=normal --skip-test-db >log 2>&1 ||
    give_up "mariadb-install-db: $(tail -3 log)"
mariadb_up() {
    set -- --no-defaults --user=nobody --datadir="$dir/db" --tmpdir="$dir/tmp" \
        --bind-address=127.0.0.1 --port="$port" --socket="$dir/tmp/socket" \
        --pid-file="$dir/tmp/pid" --skip-name-resolve --skip-networking=0 \
        --innodb-buffer-pool-size=8M --innodb-flush-log-at-trx-commit=0
    if [ -n "${tls-yes}" ]; then
        set -- "$@" --ssl-cert="$dir/served.pem" \
            --ssl-key="$dir/served.key" --ssl-ca="$ca"
    else # later releases make a certificate if they are given none
        set -- "$@" --skip-ssl
    fi
    background mariadbd "$@"
}
query() { # ARGS...
    timeout 20 mariadb --no-defaults -h localhost --protocol=tcp -P "$port" \
        -u root -Ne 'select 6 * 7' "$@" >out 2>err
}
bed mariadb_up
query --ssl-ca="$ca" --ssl-verify-server-cert
bed_works $? '^42$' "mariadb --ssl-verify-server-cert"
timeout 20 openssl s_client -connect "127.0.0.1:$port" -starttls mysql \
    -CAfile "$ca" -verify_return_error -verify_hostname localhost \
    </dev/null >out 2>err
bed_works $? 'Verify return code: 0' "openssl s_client -starttls mysql"

# packet 2: HandshakeResponse41 of root without a password; then COM_QUERY,
# COM_QUIT
login='\x3c\0\0\x02\x85\xaa\x08\0\0\0\0\x01\x21'
login="$login"'\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
login="$login"'root\0\0mysql_native_password\0'
query='\x0b\0\0\0\x03select 6*7'
for v in 1.2 1.3; do
    turns '' "$login" '^.{3}\x03\x00' "$query" '\x{02}42' \
        '\x01\0\0\0\x01' -- "$tlsock" connect "mysql://localhost:$port" \
        --ca "$ca" --tls $v -o truncation=allow
    printed "mysql: a query over TLS $v" '42'
done
verdicts mysql "mysql://localhost:$port"
verdicts "--starttls mariadb" --starttls mariadb "localhost:$port"
stop

tls=
bed mariadb_up
query --skip-ssl
bed_works $? '^42$' "mariadb gets on with the twin in plaintext"
query --ssl-ca="$ca" --ssl-verify-server-cert
[ $? -ne 0 ]
bed_works $? '' "mariadb finds no TLS in the twin"
unavailable mysql "mysql://localhost:$port"
stop
finish
