#!/bin/sh
# Sessions with nginx: by id, by ticket and as TLS 1.3 has them, won at one
# process and resumed at the next that has the same ticket key; and staples that
# it was given.
. "$(dirname "$0")/lib.sh"
need nginx openssl curl
make_bed_pki
mkdir -p www
echo hello >www/index.html
for k in one two; do
    openssl rand 80 >$k.tickets
done

# What is in $more goes into the server's block. One process: another one begins
# with nothing but its files.
nginx_up() {
    cat >nginx.conf <<END
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:$port ssl;
        root $dir/www;
        ssl_certificate $chain;
        ssl_certificate_key $key;
        ssl_protocols TLSv1.2 TLSv1.3;
        $more
    }
}
END
    background nginx -e stderr -p "$dir" -c "$dir/nginx.conf"
}
# Another process with another block, where the last one was.
again() {
    stop
    nginx_up && answers "$port" "$server" ||
        give_up "nginx does not come back: $(tail -1 "$dir/log")"
}

get='GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
# One page, with the session of the last one: is it new, or resumed?
visit() { # NAME new|resumed VERSION [ARGS...]
    said=$1 want=$2 v=$3
    shift 3
    feed "$get" connect "https://localhost:$port" --ca "$ca" --tls "$v" -v \
        --session sessions "$@"
    [ "$rc" -eq 0 ] && grep -q '^hello' out && grep -q "$want session" err
    ok $? "$said, TLS $v"
}

ids="ssl_session_tickets off; ssl_session_cache shared:here:1m;"
one="ssl_session_cache off; ssl_session_ticket_key $dir/one.tickets;"
two="ssl_session_cache off; ssl_session_ticket_key $dir/two.tickets;"
both="ssl_session_cache off; ssl_session_ticket_key $dir/two.tickets;
      ssl_session_ticket_key $dir/one.tickets;"
none="ssl_session_cache off; ssl_session_tickets off;"

more=$ids
bed nginx_up
timeout 20 curl -sS --cacert "$ca" "https://localhost:$port/" >out 2>err
bed_works $? '^hello' "curl https"
for v in 1.2 1.3; do
    rm -f sessions
    visit "without tickets: the first is new" new $v
    visit "without tickets: the second is resumed" resumed $v
    visit "without tickets: and once more" resumed $v
    visit "without tickets: not with other settings" new $v --alpn http/1.1
done
verdicts nginx "https://localhost:$port" --session sessions

for v in 1.2 1.3; do
    rm -f sessions
    more=$one
    again
    visit "by ticket: the first is new" new $v
    visit "by ticket: the second is resumed" resumed $v
    again
    visit "by ticket: another process with the key resumes" resumed $v
    more=$both
    again
    visit "by ticket: one with a new key that knows the old one, too" resumed $v
    more=$two
    again
    visit "by ticket: its ticket is by the new key" resumed $v
    more=$one
    again
    visit "by ticket: one that lacks the key does not" new $v
    rm -f sessions
    more=$none
    again
    visit "neither id nor ticket" new $v
    visit "neither id nor ticket: the second is new, too" new $v
done

# The response that its file has: of a responder with the issuer's own key.
serial=$(openssl x509 -in pki/good.pem -noout -serial | sed 's/.*=//')
staple() { # V|R FILE
    when=
    [ "$1" = V ] || when=$(date -u -d '1 hour ago' +%y%m%d%H%M%SZ)
    printf '%s\t%s\t%s\t%s\tunknown\t/CN=app.test\n' "$1" \
        "$(date -u -d '1 day' +%y%m%d%H%M%SZ)" "$when" "$serial" >index
    echo 'unique_subject = no' >index.attr
    openssl ocsp -issuer pki/inter.pem -cert pki/good.pem -no_nonce \
        -reqout request >>log 2>&1 &&
        openssl ocsp -index index -CA pki/inter.pem -rsigner pki/inter.pem \
            -rkey pki/inter.key -reqin request -ndays 1 -respout "$2" \
            >>log 2>&1 || give_up "no OCSP response: $(tail -1 log)"
}
staple V good.ocsp
staple R revoked.ocsp
for v in 1.2 1.3; do
    rm -f sessions
    more="$none ssl_stapling on; ssl_stapling_file $dir/good.ocsp;"
    again
    visit "a staple that has to come is there and good" new $v \
        --revocation must-staple
    more="$none ssl_stapling on; ssl_stapling_file $dir/revoked.ocsp;"
    again
    run connect "https://localhost:$port" --ca "$ca" --tls $v
    failed_with "a staple that says revoked is believed, TLS $v" 5 revoked
    more=$none
    again
    run connect "https://localhost:$port" --ca "$ca" --tls $v \
        --revocation must-staple
    failed_with "no staple where one has to come, TLS $v" 5 must-staple
done
stop
finish
