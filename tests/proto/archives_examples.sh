#!/bin/bash
# Runs the example server and the example client of the archives against each other.
# Usage: archives_examples.sh SERVER CLIENT
set -euo pipefail

coproc server { exec "$1" 0; }
server_pid=$server_PID
read -r -t 30 port <&"${server[0]}"
reply=$("$2" "$port")
if [[ $reply != "value 7040" ]]; then
    echo "expected \"value 7040\", got \"$reply\"" >&2
    exit 1
fi
wait "$server_pid"

# Nobody listens there any more, and the client says so.
if refusal=$("$2" "$port" 2>&1); then
    echo "a client of nobody succeeded" >&2
    exit 1
fi
[[ $refusal == *"nobody listens"*"127.0.0.1:$port"* ]] || {
    echo "expected a refusal that names the port, got \"$refusal\"" >&2
    exit 1
}
