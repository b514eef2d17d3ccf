# The rows of the mission's checklist that must be proven: some test names each, as "row 39".
import re

ROWS = [*range(1, 20), *range(21, 26), *range(30, 48), *range(49, 55), 60, 61,
        *range(62, 70), *range(80, 89), 91, 92]

NAMED = re.compile(r"\brow[ _](\d+)(?!\d)", re.IGNORECASE)


def check_rows(tree):
    named = set()
    for path in tree.written():
        if path.startswith("tests/") and not path.startswith("tests/tidy/"):
            named |= {int(number) for number in NAMED.findall(tree.text(path))}
    for row in ROWS:
        if row not in named:
            yield f"row {row} of the checklist: no test names it"


RULES = [check_rows]
