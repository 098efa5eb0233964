# Sourced by what needs a Debian of its own: made by debootstrap from the mirror
# that this machine's own packages come from, entered without a trace.

# The mirror's address; nothing if apt here knows none of Debian's.
debian_mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' \
        'Origin: Debian' 'Label: Debian' | head -n 1
}

make_root() { # SUITE DIR [ARCHITECTURE]
    local mirror
    mirror=$(debian_mirror)
    debootstrap --variant=minbase ${3:+--arch="$3"} "$1" "$2" \
        "${mirror:?apt knows no mirror of Debian}" || return
    # what names there are beside those of DNS: localhost, above all
    cp /etc/hosts "$2/etc/hosts"
    # by which proxy the mirror is reached, how old it may be
    apt-config dump --format '%f "%v";%n' Acquire |
        grep -E '^Acquire::(Check-|.*[Pp]roxy)' \
            >"$2/etc/apt/apt.conf.d/80machine" || true
    # nothing there has to outlive a power cut
    echo force-unsafe-io >"$2/etc/dpkg/dpkg.cfg.d/unsafe-io"
}

# COMMAND with /dev and /proc, which are mounted where nobody else sees them and
# are gone with the last process in there, all of which go with the first.
in_root() { # DIR COMMAND...
    unshare --mount --propagation private --pid --fork --kill-child sh -ec '
        root=$1
        shift
        mount --bind "$root" "$root" # who has mounts of their own asks for one
        mount --rbind /dev "$root/dev"
        mount -t proc proc "$root/proc"
        exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
            chroot "$root" "$@"' in_root "$@" </dev/null
}
