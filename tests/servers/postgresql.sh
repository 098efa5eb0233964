#!/bin/sh
# PostgreSQL: the SSLRequest in front of its own protocol.
. "$(dirname "$0")/lib.sh"
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
PATH=$PATH:$bin
need initdb postgres psql openssl
make_bed_pki

cp "$chain" served.pem
cp "$key" served.key
mkdir cluster sockets
chown -R postgres cluster sockets served.key
chmod 600 served.key
(as postgres initdb -D "$dir/cluster" -A trust -U me -N -E UTF8 \
    --locale C) >log 2>&1 || give_up "initdb: $(tail -1 log)"
cat >cluster/pg_hba.conf <<END
host all all 127.0.0.1/32 trust
END
postgres_up() {
    background as postgres postgres -D "$dir/cluster" -p "$port" \
        -c listen_addresses=127.0.0.1 \
        -c "unix_socket_directories=$dir/sockets" \
        -c ssl=${tls:-on} -c "ssl_cert_file=$dir/served.pem" \
        -c "ssl_key_file=$dir/served.key" -c shared_buffers=1MB -c fsync=off \
        -c max_connections=20
}
query() { # MORE OF THE CONNECTION STRING
    timeout 20 psql -Atc 'select 6 * 7' \
        "host=localhost port=$port user=me dbname=postgres $1" >out 2>err
}
bed postgres_up
query "sslmode=verify-full sslrootcert=$ca"
bed_works $? '^42$' "psql, verify-full"
timeout 20 openssl s_client -connect "127.0.0.1:$port" -starttls postgres \
    -CAfile "$ca" -verify_return_error -verify_hostname localhost \
    </dev/null >out 2>err
bed_works $? 'Verify return code: 0' "openssl s_client -starttls postgres"

# StartupMessage of version 3.0; Query; Terminate
startup='\0\0\0\x23\0\x03\0\0user\0me\0database\0postgres\0\0'
ready='Z\x00{3}\x05I$'
query='Q\0\0\0\x10select 6*7;\0'
for v in 1.2 1.3; do
    turns '' "$startup" "$ready" "$query" "$ready" 'X\0\0\0\x04' \
        -- "$tlsock" connect "postgres://localhost:$port" --ca "$ca" --tls $v \
        -o truncation=allow
    printed "postgres: a query over TLS $v" '42' 'server_version'
done
verdicts postgres "postgres://localhost:$port"
verdicts "--starttls postgres" --starttls postgres "localhost:$port"
run connect --repeat 3 -v "postgres://localhost:$port" --ca "$ca"
[ "$rc" -eq 0 ]
ok $? "postgres: three sessions in a row"
stop

tls=off
bed postgres_up
query sslmode=disable
bed_works $? '^42$' "psql gets on with the twin in plaintext"
query sslmode=require
[ $? -ne 0 ] && grep -q 'does not support SSL' err
bed_works $? '' "psql finds no TLS in the twin"
unavailable postgres "postgres://localhost:$port"
stop
finish
