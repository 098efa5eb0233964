# An ACME client that does what it should not: acme.pl PORT CA.pem WWW-PORT TLS-PORT
# One line per claim, "0 claim" or "1 claim: what came instead". Signs with
# openssl(1), RS256; the answers to http-01 are whole responses of its own.
use strict;
use warnings;
use Digest::SHA qw(sha256);
use Fcntl ':flock';
use File::Basename;
use IO::Socket::INET;
use IO::Socket::SSL;
use JSON::PP;
use MIME::Base64 qw(encode_base64url);

$| = 1;
my ($port, $ca, $www_port, $tls_port) = @ARGV;
my $base = "https://localhost:$port";
my $json = JSON::PP->new->canonical;
my (%nonces, $nonce, $last);

sub slurp { my $f = shift; local $/; open(my $h, '<', $f) or return ''; <$h> }
sub spew {
    my ($f, $text) = @_;
    open(my $h, '>', $f) or die "$f: $!";
    print $h $text;
    close($h);
}
sub claim {
    my ($good, $name) = @_;
    my $got = $last ? "$last->{status} " . ($last->{body} // '') : '';
    $got =~ s/\s+/ /g;
    print $good ? "0 $name\n" : "1 $name: $got\n";
}

# --- keys
sub new_key { # NAME BITS
    my ($name, $bits) = @_;
    system("openssl genrsa -out $name.key $bits 2>/dev/null");
    my ($hex) = `openssl rsa -in $name.key -noout -modulus` =~ /=([0-9A-F]+)/;
    return {file => "$name.key", alg => 'RS256',
        jwk => {kty => 'RSA', e => 'AQAB', n => encode_base64url(pack('H*', $hex))}};
}
sub thumb { encode_base64url(sha256($json->encode($_[0]{jwk}))) }
sub signed { # KEY TEXT
    spew('to-sign', $_[1]);
    system("openssl dgst -sha256 -sign $_[0]{file} -out signature to-sign");
    return slurp('signature');
}

# --- requests
sub http { # METHOD PATH BODY HEADERS...
    my ($method, $path, $body, %h) = @_;
    my $s = IO::Socket::SSL->new(PeerAddr => "127.0.0.1:$port",
        SSL_hostname => 'localhost', SSL_ca_file => $ca,
        SSL_verifycn_name => 'localhost', SSL_verifycn_scheme => 'http')
        or die "no TLS: $SSL_ERROR";
    $body //= '';
    $h{Host} //= "localhost:$port";
    my $head = join('', map { "$_: $h{$_}\r\n" } sort keys %h);
    print $s "$method $path HTTP/1.1\r\n${head}Connection: close\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
    my $all = do { local $/; <$s> } // '';
    my ($top, $rest) = split(/\r\n\r\n/, $all, 2);
    my ($status) = ($top // '') =~ m{^HTTP/1.1 (\d+)};
    my %got = ($top // '') =~ /^([A-Za-z-]+): *(.*?)\r?$/mg;
    $nonce = $got{'Replay-Nonce'} if $got{'Replay-Nonce'};
    $last = {status => $status // 0, body => $rest // '', head => \%got};
    $last->{json} = eval { $json->decode($last->{body}) } // {};
    $last->{type} = $last->{json}{type} // '';
    $last->{type} =~ s/.*://;
    return $last;
}
sub jws { # KEY URL PAYLOAD MODS...
    my ($key, $url, $payload, %m) = @_;
    my %head = (alg => $key->{alg}, url => $url, nonce => $nonce);
    if ($key->{kid} && !$m{jwk}) { $head{kid} = $key->{kid} }
    else { $head{jwk} = $key->{jwk} }
    for (keys %{$m{head} // {}}) {
        if (defined $m{head}{$_}) { $head{$_} = $m{head}{$_} }
        else { delete $head{$_} }
    }
    my $p = encode_base64url($json->encode(\%head));
    my $b = defined $payload ? encode_base64url($json->encode($payload)) : '';
    my $sig = signed($m{signer} // $key, "$p.$b");
    substr($sig, 5, 1) ^= "\1" if $m{corrupt};
    return {protected => $p, payload => $b, signature => encode_base64url($sig),
        %{$m{more} // {}}};
}
sub post { # KEY URL PAYLOAD MODS...
    my ($key, $url, $payload, %m) = @_;
    http('HEAD', '/acme/new-nonce') unless $nonce;
    my $body = $m{body} // $json->encode(jws($key, $url, $payload, %m));
    my ($path) = ($m{to} // $url) =~ m{^https://[^/]*(/.*)};
    $nonce = undef;
    return http('POST', $path, $body,
        'Content-Type' => $m{type} // 'application/jose+json');
}
sub refused { # NAME STATUS TYPE
    my ($name, $status, $type) = @_;
    claim($last->{status} == $status && $last->{type} eq $type
            && $last->{head}{'Content-Type'} eq 'application/problem+json'
            && length($last->{json}{detail} // ''), "$name: $type");
}
sub at { "$base/acme/$_[0]" }

# --- what http-01 finds
mkdir 'www';
my $listener = IO::Socket::INET->new(Listen => 9, ReuseAddr => 1,
    LocalAddr => '127.0.0.1', LocalPort => $www_port) or die "www: $!";
my $www = fork // die;
if (!$www) {
    $SIG{PIPE} = 'IGNORE'; # the server hangs up on answers without end
    while (my $c = $listener->accept) {
        my ($path) = (<$c> // '') =~ m{/acme-challenge/([A-Za-z0-9_-]+) };
        while (my $line = <$c>) { last if $line eq "\r\n" }
        print $c slurp("www/$path") if $path;
    }
    exit;
}
close($listener);
END { kill('TERM', $www) if $www }
sub found { "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n$_[0]" }

sub order { # KEY NAMES...: the order, and its authorizations
    my ($key, @names) = @_;
    post($key, at('new-order'), {identifiers =>
        [map { {type => /^[0-9.]+$/ ? 'ip' : 'dns', value => $_} } @names]});
    my $o = {%{$last->{json}}, url => $last->{head}{Location}};
    $o->{z} = [map { +{%{post($key, $_)->{json}}, url => $_} }
        @{$o->{authorizations} // []}];
    return $o;
}
sub validate { # KEY ORDER RESPONSE...: "TOKEN" stands for the token
    my ($key, $o, @responses) = @_;
    for my $z (@{$o->{z}}) {
        my ($chall) = grep { $_->{type} eq 'http-01' } @{$z->{challenges}};
        my $text = shift(@responses)
            // found("$chall->{token}." . thumb($key) . "\r\n");
        $text =~ s/TOKEN/$chall->{token}/g;
        spew("www/$chall->{token}", $text);
        post($key, $chall->{url}, {});
    }
    return settled($key, $o);
}
sub settled {
    my ($key, $o) = @_;
    for my $turn (1 .. 2000) { # each is a round trip: it ends when it is done
        last if !grep {
            (post($key, $_->{url})->{json}{status} // 'pending') eq 'pending'
        } @{$o->{z}};
    }
    return post($key, $o->{url})->{json}{status};
}
sub csr { # KEYFILE NAMES...: base64url of DER
    my ($file, @names) = @_;
    my @more;
    while (@names && $names[-1] =~ /=/) { push @more, '-addext', pop @names }
    my $san = join(',', map { (/^[0-9.]+$/ ? 'IP:' : 'DNS:') . $_ } @names);
    system('openssl', 'req', '-new', '-key', $file, '-subj', "/CN=$names[0]",
        '-addext', "subjectAltName=$san", @more, '-outform', 'DER', '-out',
        'csr');
    return encode_base64url(slurp('csr'));
}

my $me = new_key('me', 2048);
my $you = new_key('you', 2048);
my $weak = new_key('weak', 1024);
my $leaf = new_key('leaf', 2048);

# --- the form of requests
http('GET', '/acme/directory');
claim($last->{json}{newOrder} eq at('new-order'), 'the directory');
http('GET', '/acme/new-nonce');
claim($last->{status} == 204 && $last->{head}{'Replay-Nonce'}
        && $last->{head}{'Cache-Control'} eq 'no-store', 'a nonce');
http('GET', '/acme/new-order');
refused('GET where POST belongs', 405, 'malformed');
http('GET', '/acme/directory', '', Host => 'evil.example');
refused('another name for this server', 400, 'malformed');
post($me, at('nothing'), {});
refused('an address that is none', 404, 'malformed');
my $url = at('new-account');
my %forms = (
    'a wrong signature' => [403, 'unauthorized', corrupt => 1],
    'signed with another key' => [403, 'unauthorized', signer => $you],
    'a nonce of its own' =>
        [400, 'badNonce', head => {nonce => 'AAAAAAAAAAAAAAAAAAAAAA'}],
    'no nonce' => [400, 'badNonce', head => {nonce => undef}],
    'an empty nonce' => [400, 'badNonce', head => {nonce => ''}],
    'another url' => [401, 'unauthorized', head => {url => at('new-order')}],
    'no url' => [400, 'malformed', head => {url => undef}],
    'another media type' => [415, 'malformed', type => 'application/json'],
    'no JSON' => [400, 'malformed', body => 'hello'],
    'an empty body' => [400, 'malformed', body => ''],
    'a list' => [400, 'malformed', body => '[]'],
    'too deep a body' => [400, 'malformed', body => '[' x 60000],
    'an unprotected header' => [400, 'malformed', more => {header => {}}],
    'several signatures' => [400, 'malformed', more => {signatures => []}],
    'a payload that is no base64' => [400, 'malformed', more => {payload => '*'}],
    'a protected header that is none' =>
        [400, 'malformed', more => {protected => 'AAAA'}],
    'jwk and kid' => [400, 'malformed', head => {kid => at('account/x')}],
    'neither jwk nor kid' => [400, 'malformed', head => {jwk => undef}],
    'alg none' => [400, 'badSignatureAlgorithm', head => {alg => 'none'}],
    'alg HS256' => [400, 'badSignatureAlgorithm', head => {alg => 'HS256'}],
    'alg of another kind of key' =>
        [400, 'badSignatureAlgorithm', head => {alg => 'ES256'}],
    'a symmetric key' =>
        [400, 'badPublicKey', head => {jwk => {kty => 'oct', k => 'AAAA'}}],
    'a private key' =>
        [400, 'badPublicKey', head => {jwk => {%{$me->{jwk}}, d => 'AAAA'}}],
    'a point that is on no curve' => [400, 'badPublicKey', head => {jwk =>
        {kty => 'EC', crv => 'P-256', x => 'A' x 43, y => 'A' x 43}}],
    'a key that is none' => [400, 'badPublicKey', head => {jwk => 7}],
    'a critical extension' => [400, 'malformed', head => {crit => ['x']}],
    'an account that is not there' =>
        [400, 'malformed', head => {jwk => undef, kid => at('account/x')}],
);
for my $name (sort keys %forms) {
    my ($status, $type, %m) = @{$forms{$name}};
    post($me, $url, {termsOfServiceAgreed => JSON::PP::true}, %m);
    refused($name, $status, $type);
}
post($weak, $url, {});
refused('RSA of 1024 bits', 400, 'badPublicKey');
claim($last->{head}{'Replay-Nonce'}, 'a refusal brings the next nonce');

# --- accounts
post($me, $url, {onlyReturnExisting => JSON::PP::true});
refused('an account that was never made', 400, 'accountDoesNotExist');
post($me, $url, {contact => ['tel:1']});
refused('a telephone', 400, 'unsupportedContact');
post($me, $url, {contact => ['mailto:a@b.test?cc=x@y.test']});
refused('header fields in an address', 400, 'invalidContact');
post($me, $url, {contact => ['mailto:me@app.test']});
$me->{kid} = $last->{head}{Location};
claim($last->{status} == 201 && $last->{json}{status} eq 'valid'
        && $me->{kid} =~ m{^\Q$base\E/acme/account/}, 'an account');
post($me, $url, {}, jwk => 1);
claim($last->{status} == 200 && $last->{head}{Location} eq $me->{kid},
    'made once, found again');
my $body = $json->encode(jws($me, $me->{kid}, {}));
post($me, $me->{kid}, undef, body => $body);
claim($last->{status} == 200, 'a request');
post($me, $me->{kid}, undef, body => $body);
refused('the same request once more', 400, 'badNonce');
post($you, $url, {});
$you->{kid} = $last->{head}{Location};
post({%$you, kid => $me->{kid}}, at('new-order'), {identifiers => []});
refused("somebody else's account", 403, 'unauthorized');
post($you, $me->{kid}, {});
refused("another account's address", 403, 'unauthorized');
post($me, at('new-order'), {identifiers => []}, jwk => 1);
refused('an order of a key, not of an account', 400, 'malformed');
post({%$me, kid => "$me->{kid}0"}, at('new-order'), {identifiers => []});
refused('an account that was never there', 400, 'accountDoesNotExist');
post({%$me, kid => 'https://app.test/1'}, at('new-order'), {identifiers => []});
refused('an account of another CA', 400, 'accountDoesNotExist');
post($me, $me->{kid}, {contact => ['mailto:you@app.test']});
claim($last->{json}{contact}[0] eq 'mailto:you@app.test', 'a contact changed');
post($me, $me->{kid}, {status => 'frozen'});
refused('a status that is none', 400, 'malformed');

# --- orders
my %orders = (
    'a name that the CA may not sign' =>
        [403, 'rejectedIdentifier', [{type => 'dns', value => 'example.com'}]],
    'one of two' => [403, 'rejectedIdentifier', [{type => 'dns',
        value => 'app.test'}, {type => 'dns', value => 'example.com'}]],
    'a public address' =>
        [403, 'rejectedIdentifier', [{type => 'ip', value => '192.0.2.1'}]],
    'a wildcard' =>
        [400, 'rejectedIdentifier', [{type => 'dns', value => '*.app.test'}]],
    'a mail address' =>
        [400, 'unsupportedIdentifier', [{type => 'email', value => 'a@b.test'}]],
    'upper case' => [400, 'malformed', [{type => 'dns', value => 'App.test'}]],
    'a line end' => [400, 'malformed', [{type => 'dns', value => "a\r\n.test"}]],
    'an address as a name' =>
        [400, 'malformed', [{type => 'dns', value => '127.0.0.1'}]],
    'an address that is none' =>
        [400, 'malformed', [{type => 'ip', value => '127.1'}]],
    'a name without end' =>
        [400, 'malformed', [{type => 'dns', value => 'a' x 300}]],
    'nothing' => [400, 'malformed', []],
    'no value' => [400, 'malformed', [{type => 'dns'}]],
    'no object' => [400, 'malformed', ['app.test']],
    'no list' => [400, 'malformed', 'app.test'],
    'too many' => [400, 'malformed',
        [map { {type => 'dns', value => "a$_.test"} } 1 .. 101]],
);
for my $name (sort keys %orders) {
    my ($status, $type, $list) = @{$orders{$name}};
    post($me, at('new-order'), {identifiers => $list});
    refused("an order of $name", $status, $type);
}
post($me, at('new-order'), {identifiers => [{type => 'dns',
    value => 'app.test'}], notAfter => '2030-01-01T00:00:00Z'});
refused('an order with dates', 400, 'malformed');

# --- validation
my $o = order($me, 'app.test');
post($me, $o->{finalize}, {csr => csr('leaf.key', 'app.test')});
refused('finalize before validation', 403, 'orderNotReady');
post($you, $o->{url});
refused("somebody else's order", 403, 'unauthorized');
post($you, $o->{z}[0]{url});
refused("somebody else's authorization", 403, 'unauthorized');
post($you, $o->{z}[0]{challenges}[0]{url}, {});
refused("somebody else's challenge", 403, 'unauthorized');
post($me, "$o->{z}[0]{url}9");
refused('an authorization that is not there', 404, 'malformed');
post($me, $o->{url} . 'x');
refused('an order that is not there', 404, 'malformed');
post($me, $o->{z}[0]{challenges}[0]{url});
claim($last->{json}{status} eq 'pending', 'a challenge is looked at alone');

my %found = (
    'the wrong thumbprint' => found('TOKEN.' . thumb($you)),
    'the token alone' => found('TOKEN'),
    'more behind it' => found('TOKEN.' . thumb($me) . "\r\nx"),
    'something before it' => found('xTOKEN.' . thumb($me)),
    'nothing' => '',
    'nothing of HTTP' => "hello\r\n\r\n",
    'a NUL' => found("TOKEN." . thumb($me) . "\0"),
    'no end' => found('x' x 20000),
    'another status' => "HTTP/1.0 404 Not Found\r\n\r\nTOKEN." . thumb($me),
);
for my $name (sort keys %found) {
    $o = order($me, 'app.test');
    my $status = validate($me, $o, $found{$name});
    claim($status eq 'invalid'
            && $last->{json}{error}{type} =~ /:unauthorized$/,
        "http-01 finds $name: the order is invalid");
}
$o = order($me, 'app.test');
my $status = validate($me, $o,
    "HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:22/\r\n\r\n");
claim($status eq 'invalid' && $last->{json}{error}{detail} =~ /redirects/,
    'http-01 is not sent elsewhere');
$o = order($me, 'closed.test');
$status = validate($me, $o);
claim($status eq 'invalid' && $last->{json}{error}{type} =~ /:connection$/,
    'http-01 finds nobody');
post($me, $o->{finalize}, {csr => csr('leaf.key', 'closed.test')});
refused('finalize after a failed validation', 403, 'orderNotReady');
$o = order($me, 'app.test', 'b.localhost');
$status = validate($me, $o, undef, found('no'));
claim($status eq 'invalid', 'one name of two is not enough');
$o = order($me, 'app.test', 'b.localhost', '127.0.0.1');
$status = validate($me, $o, found('no'));
claim($status eq 'invalid', 'nor are two of three');
claim(join(' ', map { post($me, $_->{url})->{json}{status} } @{$o->{z}})
        eq 'invalid valid valid',
    'each name is told of, also when the order is lost');
$o = order($me, 'app.test');
post($me, $o->{z}[0]{url}, {status => 'deactivated'});
claim($last->{json}{status} eq 'deactivated'
        && post($me, $o->{url})->{json}{status} eq 'invalid',
    'an authorization given back');

# --- tls-alpn-01
sub alpn { # NAME HASH CRITICAL PROTOCOL: the order's status
    my ($name, $hash, $critical, $protocol) = @_;
    my $o = order($me, 'app.test');
    my ($chall) = grep { $_->{type} eq 'tls-alpn-01' } @{$o->{z}[0]{challenges}};
    my $key = "$chall->{token}." . thumb($me);
    $hash //= unpack('H*', sha256($key));
    system('openssl', 'req', '-x509', '-key', 'leaf.key', '-subj', '/CN=x',
        '-addext', "subjectAltName=$name", '-out', 'alpn.pem',
        $hash ne '' ? ('-addext',
            "1.3.6.1.5.5.7.1.31=${critical}DER:0420$hash") : ());
    my $pid = open(my $said, '-|', 'openssl', 's_server', '-accept',
        "127.0.0.1:$tls_port", '-www', '-cert', 'alpn.pem', '-key', 'leaf.key',
        $protocol ? ('-alpn', $protocol) : ()) or die;
    while (my $line = <$said>) { last if $line =~ /ACCEPT/ }
    post($me, $chall->{url}, {});
    my $status = settled($me, $o);
    kill('TERM', $pid);
    close($said);
    return $status;
}
my $c = 'critical,';
claim(alpn('DNS:app.test', undef, $c, 'acme-tls/1') eq 'ready',
    'tls-alpn-01 finds what it should');
my $hold = qr/does not hold the key authorization/;
my $alone = qr/not for this name alone/;
my @alpn = (
    ['another hash', $hold, 'DNS:app.test', '00' x 32, $c, 'acme-tls/1'],
    ['no hash', $hold, 'DNS:app.test', '', '', 'acme-tls/1'],
    ['a hash that is not critical', $hold, 'DNS:app.test', undef, '',
        'acme-tls/1'],
    ['another name', $alone, 'DNS:b.test', undef, $c, 'acme-tls/1'],
    ['a name more', $alone, 'DNS:app.test,DNS:b.test', undef, $c,
        'acme-tls/1'],
    ['another protocol', qr/alert|protocol/, 'DNS:app.test', undef, $c,
        'http/1.1'],
    ['no protocol', qr/does not speak/, 'DNS:app.test', undef, $c, ''],
);
for my $row (@alpn) {
    my ($name, $why, @how) = @$row;
    claim(alpn(@how) eq 'invalid' && $last->{json}{error}{detail} =~ $why,
        "tls-alpn-01 finds $name: invalid");
}
$o = order($me, '127.0.0.1');
claim(@{$o->{z}[0]{challenges}} == 1
        && $o->{z}[0]{challenges}[0]{type} eq 'http-01',
    'addresses are validated by http-01 alone');
post($me, "$o->{z}[0]{challenges}[0]{url}/tls", {});
refused('tls-alpn-01 for an address', 404, 'malformed');
$o = order($me, 'app.test');
post($me, "$o->{z}[0]{url}/tls");
refused('an authorization with a tail', 404, 'malformed');

# --- certificates
$o = order($me, 'app.test', 'b.localhost', '127.0.0.1');
$status = validate($me, $o);
claim($status eq 'ready', 'two names and an address: ready');
my @all = ('app.test', 'b.localhost', '127.0.0.1');
my $good = csr('leaf.key', @all);
my %csrs = (
    'other names' => csr('leaf.key', 'other.test'),
    'a name more' => csr('leaf.key', @all, 'more.test'),
    'a name less' => csr('leaf.key', 'app.test', 'b.localhost'),
    'a mail address more' => do {
        system('openssl', 'req', '-new', '-key', 'leaf.key', '-subj', '/',
            '-addext', 'subjectAltName=DNS:app.test,DNS:b.localhost,'
                . 'IP:127.0.0.1,email:a@app.test', '-outform', 'DER', '-out',
            'csr');
        encode_base64url(slurp('csr'))
    },
    'another CN' => do {
        system('openssl', 'req', '-new', '-key', 'leaf.key', '-subj',
            '/CN=evil.test', '-addext', 'subjectAltName=DNS:app.test,'
                . 'DNS:b.localhost,IP:127.0.0.1', '-outform', 'DER', '-out',
            'csr');
        encode_base64url(slurp('csr'))
    },
    "the account's key" => csr('me.key', @all),
    'a weak key' => csr('weak.key', @all),
    'no DER' => encode_base64url('hello'),
    'no base64' => '****',
    'nothing' => '',
    'a forged signature' => do {
        csr('leaf.key', @all);
        my $der = slurp('csr');
        substr($der, -3, 1) ^= "\1";
        encode_base64url($der)
    },
);
for my $name (sort keys %csrs) {
    post($me, $o->{finalize}, {csr => $csrs{$name}});
    refused("a CSR with $name", 400, 'badCSR');
}
post($you, $o->{finalize}, {csr => $good});
refused("finalize somebody else's order", 403, 'unauthorized');
post($me, $o->{finalize}, {csr => csr('leaf.key', @all,
    'basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign')});
claim($last->{status} == 200 && $last->{json}{status} eq 'valid',
    'a CSR for all three');
my $cert_url = $last->{json}{certificate};
post($me, $o->{finalize}, {csr => $good});
refused('finalize twice', 403, 'orderNotReady');
post($you, $cert_url);
refused("somebody else's certificate", 404, 'malformed');
post($me, at('cert/00'));
refused('a certificate that is not there', 404, 'malformed');
post($me, $cert_url);
claim($last->{status} == 200
        && $last->{head}{'Content-Type'} eq 'application/pem-certificate-chain'
        && (() = $last->{body} =~ /BEGIN CERT/g) >= 2, 'the chain');
spew('acme.crt', $last->{body});
my $text = `openssl x509 -in acme.crt -noout -text`;
claim($text =~ /DNS:app\.test, DNS:b\.localhost, IP Address:127\.0\.0\.1/
        && $text =~ /CA:FALSE/ && $text !~ /Certificate Sign/,
    'its names are those of the order, and it is no CA whatever was asked for');
claim(`openssl verify -x509_strict -CAfile $ca acme.crt` =~ /OK/,
    'openssl accepts it');
post($me, "$me->{kid}/orders");
claim((grep { $_ eq $o->{url} } @{$last->{json}{orders}}) == 1,
    'the orders of an account');

# --- revocation
system('openssl x509 -in acme.crt -outform DER -out acme.der');
my $der = encode_base64url(slurp('acme.der'));
my $revoke = at('revoke-cert');
# none of them makes the server wait for whoever works with the CA
my $lock = dirname($ca) . '/lock';
my $held;
open($held, '+>>', $lock) && flock($held, LOCK_EX) or die "$lock: $!";
post($you, $revoke, {certificate => $der});
refused("revoke somebody else's", 403, 'unauthorized');
post($you, $revoke, {certificate => $der}, jwk => 1);
refused('revoke with a key that is not its', 403, 'unauthorized');
for my $r (-1, 6, 7, 8, 11, 'x') {
    post($me, $revoke, {certificate => $der, reason => $r});
    refused("revoke for the reason $r", 400, 'badRevocationReason');
}
post($me, $revoke, {certificate => encode_base64url('hello')});
refused('revoke what is no certificate', 400, 'malformed');
system('openssl', 'req', '-x509', '-key', 'leaf.key', '-subj', '/CN=a',
    '-outform', 'DER', '-out', 'own.der');
post($me, $revoke, {certificate => encode_base64url(slurp('own.der'))});
refused("revoke another CA's", 404, 'malformed');
close($held);
post($leaf, $revoke, {certificate => $der, reason => 1});
claim($last->{status} == 200, 'revoked, signed with its own key');
post($me, $revoke, {certificate => $der});
refused('revoke twice', 400, 'alreadyRevoked');

# --- another key
my $new = new_key('new', 2048);
my $change = at('key-change');
sub inner { # KEY PAYLOAD MODS...
    my ($key, $payload, %m) = @_;
    my %head = (%{$m{head} // {}}, nonce => $m{nonce});
    http('HEAD', '/acme/new-nonce') unless $nonce;
    return jws($key, $change, $payload, %m, jwk => 1, head => \%head);
}
my $payload = {account => $me->{kid}, oldKey => $me->{jwk}};
post($me, $change, inner($new, $payload, signer => $you));
refused('another key, not proven', 403, 'unauthorized');
post($me, $change, inner($new, {%$payload, oldKey => $you->{jwk}}));
refused('another key, the old one not known', 400, 'malformed');
post($me, $change, inner($new, {%$payload, account => $you->{kid}}));
refused("another key for somebody else's account", 400, 'malformed');
post($me, $change, inner($new, $payload, head => {url => $url}));
refused('another key, asked for elsewhere', 400, 'malformed');
post($me, $change, inner($new, $payload, nonce => 'x'));
refused('another key, with a nonce inside', 400, 'malformed');
post($me, $change, undef);
refused('another key, and nothing inside', 400, 'malformed');
post($me, $change, inner($you, $payload));
claim($last->{status} == 409 && $last->{head}{Location} eq $you->{kid},
    'a key that an account has already');
post($me, $change, inner($new, $payload));
claim($last->{status} == 200, 'another key');
post($me, $me->{kid}, undef);
refused('the old key', 403, 'unauthorized');
$new->{kid} = $me->{kid};
post($new, $me->{kid}, undef);
claim($last->{status} == 200, 'the new key');

# --- the end of an account
post($you, $you->{kid}, {status => 'deactivated'});
claim($last->{json}{status} eq 'deactivated', 'an account is deactivated');
post($you, at('new-order'), {identifiers => [{type => 'dns',
    value => 'app.test'}]});
refused('a deactivated account', 401, 'unauthorized');
post($you, $url, {}, jwk => 1);
refused('and made again', 401, 'unauthorized');
spew('state', "$new->{kid} $cert_url");
