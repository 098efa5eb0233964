#!/bin/sh
# HTTP's upgrade to TLS (RFC 2817) with the print server CUPS.
. "$(dirname "$0")/lib.sh"
need cupsd ipptool openssl
make_bed_pki

cups_up() {
    mkdir -p etc/ssl cache state requests
    cp "$chain" etc/ssl/localhost.crt
    cp "$key" etc/ssl/localhost.key
    cat >etc/cups-files.conf <<END
ServerRoot $dir/etc
ServerKeychain $dir/etc/ssl
CreateSelfSignedCerts no
CacheDir $dir/cache
StateDir $dir/state
RequestRoot $dir/requests
AccessLog stderr
ErrorLog stderr
PageLog stderr
Printcap $dir/printcap
User lp
Group lp
SystemGroup root
END
    cat >etc/cupsd.conf <<END
LogLevel info
Listen 127.0.0.1:$port
ServerName localhost
ServerAlias *
DefaultEncryption IfRequested
Browsing No
WebInterface No
DefaultAuthType None
<Location />
Order allow,deny
Allow from 127.0.0.1
</Location>
END
    background cupsd -f -c "$dir/etc/cupsd.conf" -s "$dir/etc/cups-files.conf"
}
bed cups_up

upgrade='OPTIONS * HTTP/1.1\r\nHost: localhost\r\n'
upgrade="$upgrade"'Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n'
turns '' "$upgrade" 'HTTP/1.1 101 .*\r\n\r\n' 'hello\r\n\r\n' \
    -- perl "$beds/plain.pl" "$port"
bed_works $rc '^HTTP/1.1 101 Switching Protocols' "OPTIONS * is answered by 101"
cat >empty.test <<'END'
{
    OPERATION CUPS-Get-Printers
    GROUP operation-attributes-tag
    ATTR charset attributes-charset utf-8
    ATTR naturalLanguage attributes-natural-language en
    STATUS client-error-not-found
}
END
timeout 20 ipptool -E -tv "ipp://localhost:$port/" empty.test >out 2>err
bed_works $? 'No destinations added' "ipptool -E upgrades and asks"

get='GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
for v in 1.2 1.3; do
    feed "$get" connect --starttls http "localhost:$port" --ca "$ca" --tls $v
    printed "http: the answer to OPTIONS, then to GET, TLS $v" \
        '^HTTP/1.1 200 OK' '^HTTP/1.1 404 Not Found'
done
! grep -q '^HTTP/1.1 101' out
ok $? "http: the 101 is not in the output"
feed "$get" connect --starttls http:localhost "localhost:$port" --ca "$ca"
printed "http: the host may be named" '^HTTP/1.1 404 Not Found'
verdicts http --starttls http:localhost "localhost:$port"
stop
finish
