#!/bin/sh
# FTP with ProFTPD: AUTH TLS, PBSZ, PROT and CCC (RFC 4217).
. "$(dirname "$0")/lib.sh"
need proftpd openssl curl
make_bed_pki

proftpd_up() {
    mkdir -p files
    echo hello >files/hello.txt
    chown -R nobody files
    echo "me:$(openssl passwd -5 secret):65534:65534::$dir/files:/bin/sh" \
        >passwd
    chmod 600 passwd
    cat >proftpd.conf <<END
ServerType standalone
ServerName localhost
DefaultAddress 127.0.0.1
SocketBindTight on
UseIPv6 off
Port $port
User nobody
Group nogroup
PidFile $dir/proftpd.pid
ScoreboardFile $dir/scoreboard
WtmpLog off
RequireValidShell off
AuthUserFile $dir/passwd
AuthOrder mod_auth_file.c
UseReverseDNS off
END
    modules=$(dirname "$(dpkg -L proftpd-mod-crypto | grep 'mod_tls\.so$')")
    echo "ModulePath $modules" >>proftpd.conf
    for n in xfer ls delay; do # some releases have them built in
        [ ! -e "$modules/mod_$n.so" ] || echo "LoadModule mod_$n.c"
    done >>proftpd.conf
    echo 'DelayEngine off' >>proftpd.conf
    [ -n "${tls-yes}" ] && cat >>proftpd.conf <<END
LoadModule mod_tls.c
TLSEngine on
TLSProtocol TLSv1.2 TLSv1.3
TLSECCertificateFile $chain
TLSECCertificateKeyFile $key
TLSCertificateChainFile $dir/pki/inter.pem
TLSRequired auth
${reuse-TLSOptions NoSessionReuseRequired}
END
    background proftpd -n -c "$dir/proftpd.conf"
}
bed proftpd_up
timeout 20 curl -sS --cacert "$ca" --ssl-reqd -u me:secret \
    "ftp://localhost:$port/hello.txt" >out 2>err
bed_works $? '^hello' "curl with AUTH TLS"

goodbye ftp 'QUIT\r\n' '^221 Goodbye.' "ftp://localhost:$port"
for prot in P C; do
    turns '' 'USER me\r\n' '331 ' 'PASS secret\r\n' '230 ' 'PWD\r\n' \
        '257 ' 'QUIT\r\n' \
        -- "$tlsock" connect --starttls ftp:$prot "localhost:$port" --ca "$ca"
    printed "ftp:$prot: logged in" '^257 "' '^221 Goodbye'
done
for v in 1.2 1.3; do
    turns '' 'USER me\r\n' '331 ' 'PASS secret\r\n' '230 ' 'CCC\r\n' \
        '200 ' 'PWD\r\n' '257 ' 'QUIT\r\n' \
        -- "$tlsock" connect --starttls ftp:C "localhost:$port" --ca "$ca" \
        --downgrade-after '200 ' --tls $v -o truncation=allow
    printed "ftp: CCC, and the session goes on in plaintext, TLS $v" \
        '^200 ' '^257 "' '^221 Goodbye'
    grep -qi 'plaintext\|not encrypted\|TLS ended' err
    ok $? "ftp: which is said on stderr"
done
verdicts ftp "ftp://localhost:$port"

# tlsock intercept in between: data connections of who takes it for a proxy are
# intercepted as well, those of others go past it
between() { # ARGS...: its port goes to way, its CA to mitm, its pid to middle
    rm -f way
    mkfifo way
    "$tlsock" intercept --listen 127.0.0.1:0 --ca "$ca" --port-file way "$@" \
        >between.log 2>err </dev/null &
    middle=$!
    pids="$pids $middle"
    way=$(timeout 30 cat way)
    mitm=$XDG_DATA_HOME/tlsock/intercept/ca.pem
}
fetch() { # ARGS...: by curl, which trusts the CA of intercept alone
    timeout 20 curl -sS --cacert "$mitm" --ssl-reqd -u me:secret "$@" \
        >out 2>err
    got=$?
}
decrypted() { # connections that were, so far
    grep -c '^[^ ]* #[0-9]* open ' between.log
}
between
for scheme in http socks5h; do
    before=$(decrypted)
    fetch -p -x "$scheme://127.0.0.1:$way" "ftp://localhost:$port/hello.txt"
    [ "$got" -eq 0 ] && grep -q '^hello' out &&
        [ "$(decrypted)" -eq $((before + 2)) ]
    ok $? "ftp through intercept as $scheme proxy: control and data, both decrypted"
done
kill "$middle"
wait "$middle"
between --to "localhost:$port"
cat "$mitm" "$ca" >two.pem
fetch --cacert two.pem "ftp://localhost:$way/hello.txt"
[ "$got" -eq 0 ] && grep -q '^hello' out && [ "$(decrypted)" -eq 1 ]
ok $? "ftp to intercept --to: data goes past it"
fetch "ftp://localhost:$way/hello.txt"
[ "$got" -ne 0 ] && [ "$got" -ne 124 ] && ! grep -q '^hello' out
ok $? "which meets the server's own certificate"
kill "$middle"
wait "$middle"
stop

# data connections that resume, and refused without
reuse=
bed proftpd_up
timeout 20 curl -sS --cacert "$ca" --ssl-reqd -u me:secret \
    "ftp://localhost:$port/hello.txt" >out 2>err
bed_works $? '^hello' "curl, whose data connection resumes"
for v in 1.2 1.3; do
    follows ftp $v me secret hello.txt '^hello$'
done
echo secret | SSL_CERT_FILE=$ca timeout 20 "$EXAMPLES/example_ftps" \
    "localhost:$port" me hello.txt >out 2>err
rc=$?
[ "$rc" -eq 0 ] && [ "$(cat out)" = hello ]
ok $? "ftp: the example fetches a file"
echo wrong | SSL_CERT_FILE=$ca timeout 20 "$EXAMPLES/example_ftps" \
    "localhost:$port" me hello.txt >out 2>err
rc=$?
[ "$rc" -eq 1 ] && grep -q '530' err && [ ! -s out ]
ok $? "ftp: and says why it does not"
between
fetch -p -x "http://127.0.0.1:$way" "ftp://localhost:$port/hello.txt"
[ "$got" -ne 0 ] && [ "$got" -ne 124 ] && ! grep -q '^hello' out
ok $? "ftp through intercept: a server that wants data to resume refuses it"
kill "$middle"
wait "$middle"
stop

tls=
bed proftpd_up
timeout 20 curl -sS --cacert "$ca" -u me:secret \
    "ftp://localhost:$port/hello.txt" >out 2>err
bed_works $? '^hello' "curl gets on with the twin in plaintext"
timeout 20 curl -sS --cacert "$ca" --ssl-reqd -u me:secret \
    "ftp://localhost:$port/hello.txt" >out 2>err
[ $? -eq 64 ]
bed_works $? '' "curl finds no AUTH TLS in the twin"
unavailable ftp "ftp://localhost:$port"
feed 'QUIT\r\n' connect "ftp://localhost:$port" --ca "$ca" \
    -o starttls=opportunistic
printed "ftp: opportunistic goes on without TLS" '^221 Goodbye.'
grep -q 'WARNING: not encrypted' err
ok $? "ftp: opportunistic without TLS is loud"
stop
finish
