#!/bin/sh
# NNTP with INN's nnrpd: STARTTLS (RFC 4642), TLS from the start, and none.
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/lib/news/bin:$unpacked/usr/lib/news/bin
need nnrpd makehistory openssl
news=$(dirname "$(dirname "$(command -v nnrpd)")")
export LD_LIBRARY_PATH="$news" INNCONF="$dir/inn.conf"
make_bed_pki

mkdir etc db spool run tmp log.d
cp "$chain" served.pem
cp "$key" served.key
cat >etc/readers.conf <<END
auth "all" { hosts: "*" default: "<me>" }
access "all" { users: "<me>" newsgroups: "*" }
END
cat >etc/storage.conf <<END
method tradspool { newsgroups: * class: 0 }
END
printf 'app.test 0000000000 0000000001 y\n' >db/active
printf 'app.test\tA group\n' >db/newsgroups
: >db/active.times
: >db/history
cat >inn.conf.none <<END
mta: "/bin/false %s"
organization: "test"
ovmethod: tradindexed
hismethod: hisv6
pathhost: app.test
domain: app.test
fromhost: app.test
pathnews: $news
pathetc: $dir/etc
pathdb: $dir/db
pathspool: $dir/spool
patharticles: $dir/spool
pathoverview: $dir/spool
pathrun: $dir/run
pathtmp: $dir/tmp
pathlog: $dir/log.d
runasuser: news
runasgroup: news
nnrpdcheckart: false
END
cat inn.conf.none - >inn.conf.tls <<END
tlscertfile: $dir/served.pem
tlskeyfile: $dir/served.key
tlsprotocols: [ TLSv1.2 TLSv1.3 ]
END
chown -R news served.key etc db spool run tmp log.d
chmod 600 served.key
cp inn.conf.none inn.conf
(as news makehistory -O -x) >log 2>&1 || give_up "makehistory: $(tail -1 log)"

nnrpd_up() {
    cp "inn.conf.$kind" inn.conf
    background nnrpd -D -f -b 127.0.0.1 -p "$port" $implicit
}
kind=tls implicit=
bed nnrpd_up
printf 'QUIT\r\n' | timeout 20 openssl s_client -connect "127.0.0.1:$port" \
    -starttls nntp -CAfile "$ca" -verify_return_error \
    -verify_hostname localhost -quiet >out 2>err
bed_works $? '^205 ' "openssl s_client -starttls nntp"
goodbye nntp 'QUIT\r\n' '^205 ' "nntp://localhost:$port"
turns '' 'CAPABILITIES\r\n' '\r\n\.\r\n' 'GROUP app.test\r\n' '211 ' \
    'QUIT\r\n' -- "$tlsock" connect "nntp://localhost:$port" --ca "$ca"
printed "nntp: a group is chosen" '^211 .* app.test' '^205 '
! grep -q '^STARTTLS' out
ok $? "nntp: under TLS there is no STARTTLS, and nothing of the dialogue"
verdicts nntp "nntp://localhost:$port"
run connect --repeat 3 -v "nntp://localhost:$port" --ca "$ca"
[ "$rc" -eq 0 ]
ok $? "nntp: three sessions in a row"
stop

implicit=-S
bed nnrpd_up
printf 'QUIT\r\n' | timeout 20 openssl s_client -connect "127.0.0.1:$port" \
    -CAfile "$ca" -verify_return_error -verify_hostname localhost \
    -quiet >out 2>err
bed_works $? '^205 ' "openssl s_client, nntps"
goodbye nntps 'QUIT\r\n' '^205 ' "nntps://localhost:$port"
verdicts nntps "nntps://localhost:$port"
stop

kind=none implicit=
bed nnrpd_up
turns '^20. ' 'STARTTLS\r\n' '(^|\n)[45].. ' 'QUIT\r\n' \
    -- perl "$beds/plain.pl" "$port"
bed_works $rc '^580 ' "without a certificate nnrpd offers, and refuses"
run connect --ca "$ca" "nntp://localhost:$port"
failed_with "nntp: an offer that is not kept" 4 starttls-refused
grep -q 'cause: .*580' err && [ ! -s out ]
ok $? "nntp: the refusal is told"
run connect --ca "$ca" "nntp://localhost:$port" -o starttls=opportunistic
failed_with "nntp: opportunistic, but it was offered" 4 starttls-refused
stop
finish
