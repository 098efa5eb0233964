#!/bin/sh
# completion: each shell is asked what it would complete, with a script of the
# tool's and nothing of the user's.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
touch app.pem app.key
mkdir bin
ln -s "$tlsock" bin/tlsock
PATH=$dir/bin:$PATH
for s in bash zsh fish; do
    run completion $s
    [ "$rc" -eq 0 ] && [ ! -s err ] && cp out "tlsock.$s"
    ok $? "a script for $s"
done

# What bash would offer for these words; the last one is being typed.
ask_bash() {
    bash --norc --noprofile -c '
        . ./tlsock.bash
        complete -p tlsock >/dev/null || exit 1
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _tlsock
        [ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}
ask_fish() {
    line="$*"
    timeout 60 fish --no-config -c 'source tlsock.fish; complete -C $argv[1]' \
        -- "$line" | cut -f 1
}
# A real one on a terminal: what is added as a match when tab is pressed.
cat >asked.zsh <<'END'
PROMPT= PS2=
unsetopt zle_bracketed_paste prompt_sp beep
autoload -U compinit
compinit -u -D
source ./tlsock.zsh
zstyle ':completion:*' verbose no
compadd() {
    local -a got
    builtin compadd -A got "$@"
    (( ${#got} )) && print -rl -- $got >>offered
    builtin compadd "$@"
}
ended() {
    print -r 'all of it'
    compstate[insert]= compstate[list]=
}
comppostfuncs=(ended)
bindkey '^I' complete-word
print -r READ''Y
END
cat >ask.zsh <<'END'
zmodload zsh/zpty || exit 1
until_seen() {
    local all= part
    while zpty -r sh part; do
        all+=$part
        [[ $all == *$1* ]] && return
    done
}
zpty sh zsh -f -i
zpty -w sh 'source ./asked.zsh'
until_seen READY
zpty -w -n sh "$1"$'\t'
until_seen 'all of it'
zpty -d sh
END
ask_zsh() {
    line="$*"
    rm -f offered
    timeout 60 zsh -f ask.zsh "$line"
    [ ! -f offered ] || cat offered
}

# Every shell: WORDS : OFFERED : NOT-OFFERED
while IFS=: read -r words yes no; do
    [ -n "$words" ] || continue
    last=${words##* }
    [ "$last" = . ] && words="${words%.}" && last=
    for s in bash fish zsh; do
        # shellcheck disable=SC2086
        set -- $words
        if [ "$s" = bash ] && [ -z "$last" ]; then
            set -- "$@" ""
        elif [ "$s" != bash ]; then
            set -- "$words"
        fi
        "ask_$s" "$@" >out 2>err
        good=0
        for y in $yes; do
            grep -qx -e "$y=\{0,1\} *" out || good=1
        done
        for n in $no; do
            grep -qx -e "$n=\{0,1\} *" out && good=1
        done
        ok $good "$s: tlsock ${words#tlsock }|"
    done
done <<'END'
tlsock .:connect check cert ca trust completion version:new csr
tlsock co:connect completion:check cert
tlsock cert .:new show verify renew:install connect
tlsock trust .:install uninstall list:new
tlsock connect --rev:--revocation:--repeat
tlsock cert new --sub:--subject:--revocation --listen
tlsock connect --revocation .:off soft hard:connect --tls
tlsock connect --ca a:app.pem app.key:system
tlsock connect --ca s:system:app.pem
tlsock cert show a:app.pem app.key:new
tlsock completion .:bash zsh fish:app.pem
tlsock connect -o verify.na:verify.name:verify.depth
END

run completion ksh
refused "a shell it does not know" 2 usage 'no completion for "ksh"' 'bash, zsh or fish'
run completion
refused "no shell" 2 usage 'too few arguments' '.*'
"$tlsock" completion fish >/dev/full 2>err
[ $? -eq 6 ] && grep -q 'could not be written' err
ok $? "a full disk"

# Every option of every command is in every script.
missing=0
"$tlsock" --help | sed -n 's/^  \([a-z]*\) \([a-z]*\).*/\1 \2/p' |
    while read -r word second; do
        "$tlsock" "$word" "$second" --help >help 2>/dev/null ||
            "$tlsock" "$word" --help >help 2>/dev/null || continue
        sed -n 's/^\(      \|  -., \)--\([a-z0-9-]*\).*/\2/p' help
    done | sort -u >options
[ "$(wc -l <options)" -gt 100 ]
ok $? "help tells of more than a hundred options"
while read -r o; do
    grep -qe " --$o[ ']" tlsock.bash && grep -qe "--$o[=\[]" tlsock.zsh &&
        grep -qe "-l $o " tlsock.fish || { echo "# $o"; missing=1; }
done <options
ok $missing "each of them is in all three"
finish
