#!/bin/sh
# FTP with vsftpd: AUTH TLS (RFC 4217), TLS from the start, and none.
. "$(dirname "$0")/lib.sh"
need vsftpd openssl curl
make_bed_pki
allow="-o truncation=allow"

vsftpd_up() {
    mkdir -p empty files
    echo hello >files/hello.txt
    cat >vsftpd.conf <<END
listen=YES
listen_address=127.0.0.1
listen_port=$port
background=NO
anonymous_enable=YES
local_enable=NO
anon_root=$dir/files
nopriv_user=nobody
ftp_username=daemon
secure_chroot_dir=$dir/empty
pasv_address=127.0.0.1
ssl_enable=${tls:-YES}
allow_anon_ssl=YES
force_anon_logins_ssl=${tls:-YES}
force_anon_data_ssl=${tls:-YES}
implicit_ssl=${implicit:-NO}
require_ssl_reuse=${reuse:-NO}
rsa_cert_file=$chain
rsa_private_key_file=$key
ssl_ciphers=HIGH
xferlog_enable=NO
END
    background vsftpd "$dir/vsftpd.conf"
}
get() { # URL ARGS...
    timeout 20 curl -sS --cacert "$ca" "$@" >out 2>err
}

bed vsftpd_up
get --ssl-reqd "ftp://localhost:$port/hello.txt"
bed_works $? '^hello' "curl with AUTH TLS"
printf 'QUIT\r\n' | timeout 20 openssl s_client -connect "127.0.0.1:$port" \
    -starttls ftp -CAfile "$ca" -verify_return_error \
    -verify_hostname localhost -quiet -ignore_unexpected_eof >out 2>err
bed_works $? '^221 ' "openssl s_client -starttls ftp"

# this server ends without close_notify, which the user has to allow
feed 'QUIT\r\n' connect "ftp://localhost:$port" --ca "$ca"
failed_with "ftp: an end without close_notify is no end" 4 truncated
goodbye ftp 'QUIT\r\n' '^221 Goodbye.' "ftp://localhost:$port" $allow
goodbye 'ftp:P' 'QUIT\r\n' '^221 Goodbye.' --starttls ftp:P "localhost:$port" \
    $allow
! grep -Eaq '^2(20|34|00) ' out
ok $? "ftp: the dialogue, PBSZ and PROT are not in the output"
turns '' 'USER anonymous\r\n' '331 ' 'PASS me@me.test\r\n' '230 ' \
    'PWD\r\n' '257 ' 'SIZE hello.txt\r\n' '213 ' 'QUIT\r\n' \
    -- "$tlsock" connect "ftp://localhost:$port" --ca "$ca" $allow
printed "ftp: logged in" '^257 "/"' '^213 6' '^221 Goodbye'
perl "$beds/ftpget.pl" "$tlsock" "$ca" "$port" hello.txt >out 2>err
rc=$?
printed "ftp: a file through a data connection with TLS" '^hello$' '^226 '
verdicts ftp "ftp://localhost:$port"
run connect --repeat 3 -v "ftp://localhost:$port" --ca "$ca"
[ "$rc" -eq 0 ] && grep -q 'resumed session' err
ok $? "ftp: --repeat resumes"
run connect "ftps://localhost:$port" --ca "$ca"
failed_with "ftps on a port that speaks first" 4 not-tls
stop

# data connections that resume, and refused without
reuse=YES
bed vsftpd_up
get --ssl-reqd "ftp://localhost:$port/hello.txt"
bed_works $? '^hello' "curl, whose data connection resumes"
for v in 1.2 1.3; do
    follows ftp $v anonymous me@me.test hello.txt '^hello$'
done
stop
reuse=NO

implicit=YES
bed vsftpd_up
get "ftps://localhost:$port/hello.txt"
bed_works $? '^hello' "curl ftps"
goodbye ftps 'QUIT\r\n' '^221 Goodbye.' "ftps://localhost:$port" $allow
verdicts ftps "ftps://localhost:$port"
stop

implicit=NO tls=NO
bed vsftpd_up
get "ftp://localhost:$port/hello.txt"
bed_works $? '^hello' "curl gets on with the twin in plaintext"
get --ssl-reqd "ftp://localhost:$port/hello.txt"
[ $? -eq 64 ]
bed_works $? '' "curl finds no AUTH TLS in the twin"
# what it knows nothing of it refuses in one way: "530 Please login"
run connect --ca "$ca" "ftp://localhost:$port"
failed_with "ftp: no TLS offered is no TLS" 4 \
    'starttls-unavailable|starttls-refused'
stop
finish
