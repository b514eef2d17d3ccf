"""A shell in a container with wharfd: shell.py BUILD_DIRECTORY [COMMAND...]; it is gone when the shell ends."""
import os
import subprocess
import sys

import box as boxes
import case

PROGRAMS = {"WHARFD": "daemon/wharfd", "WHARFCTL": "client/wharfctl"}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if reason := boxes.missing():
        sys.exit(f"there can be no container here: {reason}")
    for name, path in PROGRAMS.items():
        os.environ[name] = os.path.join(sys.argv[1], path)
    with boxes.Box() as box:
        case.install(box)
        sys.exit(subprocess.run(box.command(*(sys.argv[2:] or ["bash", "-i"]))).returncode)


if __name__ == "__main__":
    main()
