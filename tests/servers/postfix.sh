#!/bin/sh
# SMTP with Postfix: STARTTLS (RFC 3207), TLS from the start, and none.
. "$(dirname "$0")/lib.sh"
need postfix openssl curl
make_bed_pki

postfix_up() {
    smtps=$(free_port)
    bare=$(free_port)
    rm -rf etc queue data
    mkdir -p etc queue data
    chown postfix data
    cat >etc/main.cf <<END
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination = localhost
local_recipient_maps =
alias_maps =
alias_database =
smtpd_tls_cert_file = $chain
smtpd_tls_key_file = $key
smtpd_tls_security_level = may
END
    cat >etc/master.cf <<END
127.0.0.1:$port inet n - n - - smtpd
127.0.0.1:$smtps inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:$bare inet n - n - - smtpd -o smtpd_tls_security_level=none
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
local unix - n n - - local
error unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
END
    # the queue's directories; start-fg would put a shell before the master
    postfix -c "$dir/etc" check >>log 2>&1 || return
    background "$(postconf -hd daemon_directory)/master" -c "$dir/etc" -s
}
bed postfix_up

printf 'QUIT\r\n' | timeout 20 openssl s_client -connect "127.0.0.1:$port" \
    -starttls smtp -CAfile "$ca" -verify_return_error \
    -verify_hostname localhost -quiet >out 2>err
bed_works $? '^221 ' "openssl s_client -starttls smtp"
timeout 20 curl -sS --cacert "$ca" "smtps://localhost:$smtps/" -X NOOP -v \
    >out 2>&1
bed_works $? '< 250 2.0.0 Ok' "curl smtps"
timeout 20 curl -sS --ssl-reqd --cacert "$ca" "smtp://localhost:$bare/" -v \
    >out 2>&1
[ $? -eq 64 ]
bed_works $? '< 250-ENHANCEDSTATUSCODES' "curl finds no STARTTLS in the twin"

feed 'QUIT\r\n' connect "smtp://localhost:$port" --ca "$ca"
printed "smtp: verified, and the whole goodbye" '^221 2.0.0 Bye.$'
for v in 1.2 1.3; do
    turns '' 'EHLO me.test\r\n' '\n250 [^\n]*\n' 'QUIT\r\n' \
        -- "$tlsock" connect --starttls smtp:me.test --tls $v --ca "$ca" \
        "localhost:$port"
    printed "smtp: EHLO and QUIT, TLS $v" '^250-localhost' '^221 2.0.0 Bye.$'
done
! grep -aq '^220' out
ok $? "smtp: the dialogue before TLS is not in the output"
turns '' 'EHLO me.test\r\n' '\n250 [^\n]*\n' 'MAIL FROM:<a@me.test>\r\n' \
    '250 ' 'RCPT TO:<b@localhost>\r\n' '250 ' 'DATA\r\n' \
    '354 ' 'Subject: hello\r\n\r\nhello\r\n.\r\n' '250 ' 'QUIT\r\n' \
    -- "$tlsock" connect "smtp://localhost:$port" --ca "$ca"
printed "smtp: a mail is taken" 'queued as' '^221 2.0.0 Bye'
feed 'QUIT\r\n' connect "smtps://localhost:$smtps" --ca "$ca"
printed "smtps: verified, and the whole goodbye" '^220 ' '^221 2.0.0 Bye.$'
run connect --repeat 3 -v "smtp://localhost:$port" --ca "$ca"
[ "$rc" -eq 0 ] && grep -q 'resumed session' err
ok $? "smtp: --repeat resumes"
verdicts smtp "smtp://localhost:$port"
verdicts smtps "smtps://localhost:$smtps"
unavailable smtp "smtp://localhost:$bare"
run connect "smtps://localhost:$port" --ca "$ca"
failed_with "smtps on a port that speaks first" 4 not-tls
run connect "smtp://localhost:$smtps" --ca "$ca" --timeout 2s
[ "$rc" -ne 0 ] && [ ! -s out ]
ok $? "smtp on a port that expects TLS at once"
feed 'QUIT\r\n' connect "smtp://localhost:$bare" --ca "$ca" \
    -o starttls=opportunistic
printed "smtp: opportunistic goes on without TLS" '^221 2.0.0 Bye.$'
grep -q 'WARNING: not encrypted' err
ok $? "smtp: opportunistic without TLS is loud"
run connect "smtp://localhost:$port" --name other.test --ca "$ca" \
    -o starttls=opportunistic
failed_with "smtp: opportunistic does not forgive a name" 5 name-mismatch
stop
finish
