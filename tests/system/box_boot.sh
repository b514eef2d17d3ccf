#!/bin/bash
# Makes the root of a container and becomes systemd-nspawn in it: box_boot.sh DIRECTORY
set -euo pipefail

# All mounts are in a namespace of their own: they go with its last process.
if [[ ${2:-} != inside ]]; then
    exec unshare --mount --propagation private "$BASH" "$0" "$1" inside
fi
name=wharf-box-$$
base=$1/mounts
root=$base/root

# What nspawn notes of its containers, and never forgets.
mount -t tmpfs -o mode=755 run /run

mkdir "$base"
mount -t tmpfs -o mode=755 box "$base"
mkdir -p "$base"/upper/etc/systemd/system "$base"/work "$root"

# The least that a service under test needs; what else this machine enables is not started.
cat >"$base/upper/etc/systemd/system/box.target" <<'UNIT'
[Unit]
Description=What a service under test needs
Requires=basic.target
Wants=dbus.socket systemd-journald.service
After=basic.target
AllowIsolate=yes
UNIT
for unit in timers.target systemd-update-utmp.service systemd-timesyncd.service systemd-networkd.service \
    e2scrub_reap.service ldconfig.service systemd-firstboot.service; do
    ln -s /dev/null "$base/upper/etc/systemd/system/$unit"
done
head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$base/upper/etc/machine-id"

mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" box "$root"

# Without bpf() IPAddressDeny= is silently not enforced, and so without the unified hierarchy.
exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --directory="$root" --machine="$name" \
    --register=no --keep-unit --notify-ready=yes --private-network --link-journal=no \
    --resolv-conf=off --timezone=off --capability=CAP_IPC_LOCK,CAP_BPF --system-call-filter=bpf --console=read-only --boot \
    systemd.unit=box.target systemd.show_status=no systemd.log_target=journal systemd.firstboot=0
