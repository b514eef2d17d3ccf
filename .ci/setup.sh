# shellcheck shell=bash disable=SC2034,SC2154
# Functions that daemon/run and tests/run share: what this machine needs, and the build directories.
# Sourced by bash with `set -euo pipefail` in force. Exit status 3 means: this system is not ready,
# and the one line above says what to do.

# The packages that the build itself needs; headers of Boost come with libboost1.81-dev.
build_packages=(g++ cmake ninja-build pkg-config libboost1.81-dev libboost-system1.81-dev
    libboost-serialization1.81-dev libboost-log1.81-dev libboost-json1.81-dev libsystemd-dev
    libtomlplusplus-dev libcli11-dev libsqlite3-dev)

say() { printf '%s\n' "$*"; }

not_ready() {
    printf '%s\n' "$*" >&2
    exit 3
}

require_debian_12() {
    local system="an unknown system"
    if [[ -r /etc/os-release ]]; then
        system=$(. /etc/os-release && printf '%s %s' "${ID:-}" "${VERSION_ID:-}")
    fi
    [[ "$system" == "debian 12" ]] ||
        not_ready "This command sets up Debian 12 and found ${system}: README.md says what to install by hand."
}

# Prints those of the given packages that are not installed.
packages_missing() {
    local installed
    # dpkg-query fails when one of them is unknown to it, and still prints the others.
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    local package
    for package in "$@"; do
        grep -qxF "$package installed" <<<"$installed" || printf '%s\n' "$package"
    done
}

# Installs what is missing of the given packages, and touches nothing else: no package is removed.
ensure_packages() {
    local missing
    mapfile -t missing < <(packages_missing "$@")
    ((${#missing[@]})) || return 0

    local command="apt-get install --no-install-recommends ${missing[*]}"
    local as_root=()
    if ((EUID != 0)); then
        command="sudo $command"
        # Without a terminal nobody can type a password: sudo must not wait for one.
        as_root=(sudo)
        [[ -t 0 ]] || as_root=(sudo -n)
        "${as_root[@]}" true 2>/dev/null ||
            not_ready "Packages are missing and neither root nor sudo is here: as root, run: ${command#sudo }"
    fi
    local install=(apt-get --yes --quiet=2 --no-remove --no-install-recommends
        -o Dpkg::Use-Pty=0 install "${missing[@]}")

    say "==> Installing ${#missing[@]} packages: ${missing[*]}"
    local plan
    if ! plan=$(LC_ALL=C apt-get --simulate "${install[@]:1}" 2>&1); then
        refuse_removal "$plan" "$command" "${missing[@]}"
        # Most often the lists of a fresh system are empty.
        "${as_root[@]}" apt-get --quiet=2 update </dev/null
        if ! plan=$(LC_ALL=C apt-get --simulate "${install[@]:1}" 2>&1); then
            refuse_removal "$plan" "$command" "${missing[@]}"
            printf '%s\n' "$plan" >&2
            not_ready "apt-get cannot install them: see above, then run: $command"
        fi
    fi
    install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "${install[@]}")
    local log
    log=$(mktemp)
    if ! "${install[@]}" </dev/null >"$log" 2>&1; then
        # Lists that are older than the mirror name files that are gone.
        "${as_root[@]}" apt-get --quiet=2 update </dev/null
        if ! "${install[@]}" </dev/null >"$log" 2>&1; then
            tail -n 30 "$log" >&2
            rm -f "$log"
            not_ready "apt-get failed: see above, then run: $command"
        fi
    fi
    rm -f "$log"
}

# Debian's default libboost-dev is 1.74, and its headers exclude those of 1.81. What the user has
# installed is the user's: we say what would go, and leave it.
refuse_removal() {
    local plan=$1 command=$2
    shift 2
    grep -qi 'remove is disabled' <<<"$plan" || return 0
    local gone
    gone=$(LC_ALL=C apt-get --simulate --no-install-recommends install "$@" 2>/dev/null |
        sed -n 's/^Remv \([^ ]*\).*/\1/p' | paste -sd ' ')
    not_ready "Wharf builds with Boost 1.81, which cannot be installed beside ${gone:-packages that are here}:" \
        "to replace them, run: $command"
}

# How many compilers may run: each takes up to 1.2 GB.
build_jobs() {
    local cores gigabytes
    cores=$(nproc)
    gigabytes=$(awk '/^MemAvailable:/ { print int($2 / 1200000) }' /proc/meminfo)
    ((gigabytes >= 1)) || gigabytes=1
    printf '%s' $((cores < gigabytes ? cores : gigabytes))
}

# configure PRESET: makes build/PRESET, or returns at once when it is there. ninja itself notices
# when a CMakeLists.txt has changed.
configure() {
    local dir=$root/build/$1
    if [[ -f $dir/build.ninja ]] && grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$dir/CMakeCache.txt"; then
        return 0
    fi
    rm -rf "$dir"
    mkdir -p "$dir"
    say "==> Configuring build/$1"
    if ! (cd "$root" && cmake --preset "$1" >"$dir.log" 2>&1); then
        cat "$dir.log" >&2
        rm -rf "$dir" "$dir.log"
        return 1
    fi
    rm -f "$dir.log"
}

# build PRESET [TARGET...]: one line of progress on a terminal, silence elsewhere unless it fails.
build() {
    local dir=$root/build/$1
    shift
    local quiet=()
    [[ -t 1 ]] || quiet=(--quiet)
    ninja -C "$dir" -j "$(build_jobs)" "${quiet[@]}" "$@"
}
