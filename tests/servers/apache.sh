#!/bin/sh
# HTTPS with Apache httpd, whose 2.4 has given up the upgrade of RFC 2817: it
# is the twin without it, cups.sh the server that does it.
. "$(dirname "$0")/lib.sh"
need apache2 openssl curl
make_bed_pki

apache_up() {
    https=$(free_port)
    mkdir -p www
    echo hello >www/index.html
    cat >httpd.conf <<END
ServerRoot $dir
ServerName localhost
PidFile $dir/httpd.pid
DefaultRuntimeDir $dir
Mutex pthread
User www-data
Group www-data
ErrorLog /dev/stderr
Listen 127.0.0.1:$https https
Listen 127.0.0.1:$port http
DocumentRoot $dir/www
END
    for m in mpm_event authz_core ssl dir socache_shmcb; do
        echo "LoadModule ${m}_module /usr/lib/apache2/modules/mod_$m.so"
    done >>httpd.conf
    cat >>httpd.conf <<END
DirectoryIndex index.html
StartServers 1
ServerLimit 2
ThreadsPerChild 5
MaxRequestWorkers 10
MinSpareThreads 1
MaxSpareThreads 10
SSLCertificateFile $chain
SSLCertificateKeyFile $key
SSLProtocol -all +TLSv1.2 +TLSv1.3
<VirtualHost 127.0.0.1:$https>
SSLEngine on
</VirtualHost>
<VirtualHost 127.0.0.1:$port>
SSLEngine off
</VirtualHost>
END
    background apache2 -f "$dir/httpd.conf" -DFOREGROUND
}
bed apache_up

timeout 20 curl -sS --cacert "$ca" "https://localhost:$https/" >out 2>err
bed_works $? '^hello' "curl https"
upgrade='OPTIONS * HTTP/1.1\r\nHost: localhost\r\n'
upgrade="$upgrade"'Upgrade: TLS/1.0\r\nConnection: Upgrade, close\r\n\r\n'
turns '' "$upgrade" -- perl "$beds/plain.pl" "$port"
bed_works $rc '^HTTP/1.1 200 OK' "it answers OPTIONS *, but does not upgrade"

get='GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
for v in 1.2 1.3; do
    feed "$get" connect "https://localhost:$https" --ca "$ca" --tls $v
    printed "https: the page, TLS $v" '^HTTP/1.1 200 OK' '^hello$'
done
verdicts https "https://localhost:$https"
unavailable http --starttls http "localhost:$port"
run connect "https://localhost:$port" --ca "$ca"
failed_with "https on a port that speaks http" 4 not-tls
stop
finish
