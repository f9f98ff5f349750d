#!/usr/bin/env bash
# A machine for tests: a systemd of its own in a container, on an overlay of this host's root file system.
#
#   machine.sh keep        makes a machine, prints its directory (root file system in DIRECTORY/root), and takes it down
#                          when standard input ends: at the end of the test, or of the process that ran it
#   machine.sh boot DIR    is the machine's container; tells NOTIFY_SOCKET its first process, and when it has booted
#   machine.sh prepare DIR LINE   runs a line of shell on the machine's files while it is off
#   machine.sh sweep       takes down the machines whose keepers are gone
set -euo pipefail
machines=/var/tmp/patchd-machine # an overlay's upper directory has to be on a real file system

# Each machine has control groups of its own: two systemds in one would kill each other's services.
groups() {
    local hierarchy
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        if [ -e "$hierarchy/cgroup.procs" ]; then echo "$hierarchy/${1##*/}"; fi
    done
}

keep() {
    trap '' INT TERM HUP
    exec 8>"$machines.lock" && flock 8 # no sweep between a directory and its lock
    local place
    place=$(mktemp -d "$machines-XXXXXX")
    chmod 755 "$place"
    exec 9>"$place/keeper" && flock 9
    exec 8>&-
    # shellcheck disable=SC2064
    trap "take_down '$place'" EXIT
    mkdir "$place"/{upper,work,root}
    mount -t overlay patchd-machine -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
    forget_the_host "$place/root"
    echo "$place"
    cat >/dev/null
}

# What this host runs, mounts and remembers is no part of the machine.
forget_the_host() {
    rm -rf "$1"/etc/systemd/system/*.{wants,requires} "$1"/{etc,var/lib,var/spool,run}/patchd "$1/var/log/journal"
    mkdir "$1/var/log/journal" # persistent: it survives a power cut
    : >"$1/etc/fstab"
    rm -f "$1/usr/sbin/policy-rc.d" # which would keep packages from starting their services
    # An empty id would be a first boot, which enables every unit there is.
    tr -d - </proc/sys/kernel/random/uuid >"$1/etc/machine-id"
    local unit
    for unit in console-getty systemd-firstboot systemd-logind systemd-network-generator systemd-networkd \
        systemd-resolved systemd-timesyncd; do
        ln -sf /dev/null "$1/etc/systemd/system/$unit.service"
    done
}

container() {
    local group place=$1
    shift
    for group in $(groups "$place"); do
        mkdir -p "$group"
        echo $$ >"$group/cgroup.procs"
    done
    exec systemd-nspawn --quiet --directory="$place/root" --machine="${place##*-}" --register=no --keep-unit \
        --private-network --console=pipe \
        --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" "$@"
}

boot() { container "$1" --notify-ready=yes --boot; }

prepare() { container "$1" --as-pid2 /bin/sh -c "$2"; }

take_down() {
    local group rest
    for group in $(groups "$1"); do
        [ -d "$group" ] || continue
        for _ in {1..200}; do
            rest=$(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null || true)
            [ -n "$rest" ] || break
            # shellcheck disable=SC2086
            kill -KILL $rest 2>/dev/null || true
            sleep 0.05
        done
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
    if mountpoint -q "$1/root"; then umount "$1/root" || umount -l "$1/root"; fi
    rm -rf --one-file-system "$1"
}

sweep() {
    exec 8>"$machines.lock" && flock 8
    local place
    for place in "$machines"-*/; do
        if [ -d "$place" ] && flock -n "$place/keeper" true; then take_down "${place%/}"; fi
    done
}

"$@"
