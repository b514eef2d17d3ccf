#!/bin/bash
# Runs the fuzzers of which one check was removed: each must notice, from the honest seeds of its
# corpus alone, with a fixed seed, within 2 million executions.
#   control.sh DIRECTORY-OF-PROGRAMS CORPUS DIRECTORY-TO-WRITE
set -euo pipefail
programs=$1 corpus=$2 out=$3
executions_max=2000000
status=0
for program in "$programs"/control_*; do
    name=${program##*/control_}
    case $name in
    *_archive_*) family=archive_${name##*_archive_} ;;
    *) family=${name##*_} ;;
    esac
    guard=${name%_"$family"}
    work=$out/control_$guard
    rm -rf "$work"
    mkdir -p "$work/corpus"
    cp "$corpus/$family"/seed_* "$work/corpus"
    if "$program" -seed=2026 -runs="$executions_max" -max_len=512 -rss_limit_mb=2048 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" >"$work/log" 2>&1; then
        echo "    $guard: MISSED in $executions_max executions"
        status=1
    else
        executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
        how=$(sed -n -e 's/^does not hold: //p' -e 's/^SUMMARY: AddressSanitizer: \([A-Za-z-]*\).*/\1/p' \
            -e 's/.*runtime error: //p' -e 's/^  what():  \([^:]*\):.*/\1/p' "$work/log" | head -n 1)
        echo "    $guard: found after ${executions:-?} executions: ${how:-see $work/log}"
    fi
done
exit "$status"
