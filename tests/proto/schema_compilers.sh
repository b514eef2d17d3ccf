#!/bin/bash
# schema_compilers.sh LIBRARY PROTO WORK COMPILER...: schema_fingerprints.cpp says the same whatever
# compiles it, and however.
set -euo pipefail
library=$1 proto=$2 work=$3
shift 3
tests=$(dirname "${BASH_SOURCE[0]}")
mkdir -p "$work"
first=
for compiler; do
    for level in -O0 -O2; do
        program=$work/fingerprints-$(basename "$compiler")$level
        "$compiler" -std=gnu++20 "$level" -I"$proto" "$tests/schema_fingerprints.cpp" \
            "$tests/archive_golden_types.cpp" "$library" -lboost_serialization -lboost_system \
            -lpthread -o "$program"
        "$program" > "$program.txt"
        first=${first:-$program.txt}
        diff -u "$first" "$program.txt"
        echo "$compiler $level: $(wc -l < "$program.txt") types"
    done
done
