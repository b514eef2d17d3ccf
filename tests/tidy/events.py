# The log's events: each is written somewhere, and the journal's catalog says what to do about each.
import re

HEADER = "daemon/log_events.hpp"
CATALOG = "daemon/wharf.catalog"

EVENT = re.compile(r'\bevent (\w+)\{"(\w*)"')
ENTRY = re.compile(r"^-- (\S+)\n(.*?)(?=^-- |\Z)", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"@(\w+)@")


def check_events(tree):
    if HEADER not in tree.known:
        return
    events = EVENT.findall(tree.text(HEADER))
    entries = dict(ENTRY.findall(tree.text(CATALOG)))
    code = "\n".join(tree.text(path) for path in tree.sources()
                     if path.startswith("daemon/") and path.endswith(".cpp"))
    for name, number in events:
        if not re.fullmatch("[0-9a-f]{32}", number) or [n for _, n in events].count(number) > 1:
            yield f"{HEADER}: {name}: {number} is not 32 digits of its own"
        if not re.search(rf"\blog::{name}\b", code):
            yield f"{HEADER}: {name}: nothing writes it"
        if number not in entries:
            yield f"{CATALOG}: no entry for {name}, {number}"
    for number in entries.keys() - {number for _, number in events}:
        yield f"{CATALOG}: {number} is no event"
    for number, text in entries.items():
        header, _, body = text.partition("\n\n")
        if not re.search(r"^Subject: \S", header, re.MULTILINE) or "Defined-By: Wharf" not in header or \
                not body.strip():
            yield f"{CATALOG}: {number}: needs a subject, Wharf as who defines it, and a text"
        for field in FIELD.findall(text):
            if f'"{field}"' not in code and f'"{field.removeprefix("WHARF_")}"' not in code:
                yield f"{CATALOG}: {number}: no record has {field}"


RULES = [check_events]
