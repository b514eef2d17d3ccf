# The codes of errc: the tests name each, so that none exists that nothing produces.
import re

HEADER = "proto/wharf/error.hpp"
# It lists every code by its number and so would prove nothing.
LISTS_ALL = "tests/proto/error_test.cpp"

ENUM = re.compile(r"enum class errc\b.*?\{(.*?)\};", re.DOTALL)
ENUMERATOR = re.compile(r"^\s*(\w+)\s*=", re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
# errc::name, or the bare name in a table of them.
NAMED = re.compile(r"\berrc::(\w+)|(?<=[{,( \"])([a-z]+_[a-z_]+)(?=[\"},) ])")


def check_codes(tree):
    if HEADER not in tree.known:
        return
    found = ENUM.search(COMMENT.sub("", tree.text(HEADER)))
    codes = ENUMERATOR.findall(found.group(1)) if found else []
    named = set()
    for path in tree.sources():
        if path.startswith("tests/") and path != LISTS_ALL:
            for match in NAMED.findall(COMMENT.sub("", tree.text(path))):
                named.update(match)
    for code in codes:
        if code not in named:
            yield f"errc::{code}: no test names it"


RULES = [check_codes]
