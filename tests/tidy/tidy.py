# Checks a source tree against the rules that no compiler checks, and prints every breach.
import sys

import codes
import events
import files
import includes
import matrix
import rows
import snippets
from tree import Tree

RULES = (files.RULES + includes.RULES + rows.RULES + codes.RULES + events.RULES + matrix.RULES
         + snippets.RULES)


def problems(root):
    tree = Tree(root)
    return [problem for rule in RULES for problem in rule(tree)]


def main():
    found = problems(sys.argv[1])
    for problem in found:
        print(problem)
    print(f"{len(RULES)} rules, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
