# The tidy test's own test: a small tree that keeps every rule, and for each rule a breach of it.
import os
import tempfile
import unittest

from rows import ROWS
from tidy import problems

COMMENT = "// Says its job in a sentence.\n"

MATRIX = ("### What travels\n\n| type | travels | how | canonical | test |\n|---|---|---|---|---|\n"
          + "| x | yes | own | yes | `x_travels` |\n" * 59
          + "| y | no | a y cannot travel (at all): store an x | | `store_y` |\n")

EVENTS = f'event torn{{"{"a" * 32}"}};\nevent full{{"{"b" * 32}"}};\n'
CATALOG = "".join(f"-- {digit * 32}\nSubject: It is\nDefined-By: Wharf\n\nCall @WHARF_CALL@.\n\n" for digit in "ab")

GOOD = {
    "README.md": "What it is.\n\n```cpp\nint one()\n{\n    return 1;\n}\n```\n",
    "CMakeLists.txt": "",
    "proto/README.md": MATRIX,
    "tests/x_test.cpp": COMMENT + "BOOST_AUTO_TEST_CASE(x_travels)\n",
    "tests/compile_fail/README.md": "Words.\n",
    "tests/compile_fail/archive_y.cpp":
        COMMENT + "// Refused: wharf: a y cannot travel \\(at all\\)\nvoid store_y()\n",
    "proto/wharf/error.hpp": COMMENT + "enum class errc : int {\n    // Why.\n    torn = 1, ///< t\n"
                             "    too_long =\n        2,\n};\n",
    "tests/error_test.cpp": COMMENT + "int a = expect(errc::torn); TABLE(x, too_long, y)\n",
    "client/README.md": "Words.\n",
    "client/wharf/client.hpp": COMMENT + "#include <wharf/error.hpp>\n",
    "client/examples/README.md": "Words.\n",
    "client/examples/one.cpp": COMMENT + "    int one()\n    {\n        return 1;\n    }\n",
    "daemon/README.md": "Words.\n",
    "daemon/run": "#!/bin/bash\n# Runs the daemon for a while.\n",
    "daemon/admission.hpp": COMMENT + "#include <wharf/service.hpp>\n",
    "daemon/store.hpp": COMMENT,
    "daemon/log_events.hpp": COMMENT + EVENTS,
    "daemon/wharf.catalog": CATALOG,
    "daemon/log.cpp": COMMENT + 'write(log::torn, {{"WHARF_CALL", x}}); write(log::full);\n',
    "daemon/store_sqlite.cpp": COMMENT + '#include "store.hpp"\n#include <sqlite3.h>\n',
    "daemon/session.cpp": COMMENT + '#include "admission.hpp"\n',
    "daemon/wharf/options.hpp": COMMENT + "#include <wharf/error.hpp>\n",
    "proto/wharf/service.hpp": COMMENT + "#include <wharf/error.hpp>\n",
    "daemon/services/README.md": "Words.\n",
    "daemon/services/system.cpp": COMMENT + "#include <wharf/service.hpp>\n",
    "tests/README.md": "Words.\n",
    "tests/rows_test.cpp": COMMENT + "".join(f"// Row {row}: proven.\n" for row in ROWS),
}

# What is written over the good tree, and a part of what must be said about it.
BREACHES = {
    "a name at the top": ({"docs.txt": "x"}, "fixed names"),
    "a directory without a README": ({"tests/new/x_test.cpp": COMMENT}, "has no README.md"),
    "code before the comment": ({"proto/x.cpp": "int x;\n"}, "begin with a sentence"),
    "no sentence": ({"proto/x.cpp": "// x\n"}, "begin with a sentence"),
    "a long file": ({"proto/x.cpp": COMMENT + "int x;\n" * 800}, "two jobs"),
    "a tab": ({"proto/x.cpp": COMMENT + "\tint x;\n"}, "a tab"),
    "a forbidden word": ({"proto/x.cpp": COMMENT + "// TO" + "DO\n"}, "x.cpp:2: TO" + "DO"),
    "proto includes client": (
        {"proto/x.cpp": COMMENT + "#include <wharf/client.hpp>\n"}, "proto must not include"),
    "client includes daemon": (
        {"client/x.cpp": COMMENT + "#include <wharf/options.hpp>\n"}, "client must not include"),
    "client includes daemon by a path": (
        {"client/x.cpp": COMMENT + '#include "../daemon/admission.hpp"\n'}, "client must not include"),
    "a lower layer includes a higher": (
        {"daemon/store.hpp": COMMENT + '#include "admission.hpp"\n'}, "stands above it"),
    "a file without a layer": ({"daemon/helper.hpp": COMMENT}, "no layer"),
    "a service includes a private header": (
        {"daemon/services/system.cpp": COMMENT + '#include "../admission.hpp"\n'}, "a service uses"),
    "a public header names a private one": (
        {"daemon/wharf/options.hpp": COMMENT + '#include "../store.hpp"\n'}, "names the private"),
    "sqlite3.h outside of its seam": (
        {"daemon/session.cpp": COMMENT + "#include <sqlite3.h>\n"}, "behind its seam"),
    "sockets outside of their seam": (
        {"client/x.cpp": COMMENT + "#include <sys/socket.h>\n"}, "behind its seam"),
    "an include loop": (
        {"proto/wharf/error.hpp": COMMENT + "#include <wharf/x.hpp>\n",
         "proto/wharf/x.hpp": COMMENT + "#include <wharf/error.hpp>\n"}, "include loop"),
    "a row that no test names": (
        {"tests/rows_test.cpp": COMMENT + "// Row 391, and a crow 39.\n"}, "row 39 "),
    "a code that no test names": (
        {"tests/error_test.cpp": COMMENT + "// errc::torn\nTABLE(x, too_long, y)\n"}, "errc::torn: no"),
    "a code in a table that no test names": (
        {"tests/error_test.cpp": COMMENT + "int a = expect(errc::torn);\n"}, "errc::too_long: no"),
    "an event that nothing writes": (
        {"daemon/log.cpp": COMMENT + 'write(log::torn, {{"WHARF_CALL", x}});\n'}, "full: nothing"),
    "an event without an entry": (
        {"daemon/wharf.catalog": CATALOG.replace("b" * 32, "c" * 32)}, "no entry for full"),
    "an entry without an event": (
        {"daemon/wharf.catalog": CATALOG + CATALOG.replace("b" * 32, "c" * 32)}, "ccc is no event"),
    "an entry that says nothing": (
        {"daemon/wharf.catalog": CATALOG.replace("Call @WHARF_CALL@.", "")}, "and a text"),
    "an entry with a field that no record has": (
        {"daemon/wharf.catalog": CATALOG.replace("@WHARF_CALL@", "@WHARF_X@")}, "has WHARF_X"),
    "two events of one number": (
        {"daemon/log_events.hpp": COMMENT + EVENTS.replace("b" * 32, "a" * 32)}, "of its own"),
    "a matrix of few rows": (
        {"proto/README.md": MATRIX.replace("| x | yes | own | yes | `x_travels` |\n", "", 1)},
        "has 59 rows"),
    "a row of a test that does not exist": (
        {"tests/x_test.cpp": COMMENT + "BOOST_AUTO_TEST_CASE(x)\n"}, "no test x_travels"),
    "a row without a test": (
        {"proto/README.md": MATRIX.replace("`store_y`", "")}, "names no test"),
    "a row that says neither yes nor no": (
        {"proto/README.md": MATRIX.replace("| no |", "| never |")}, "a row is type"),
    "a row with another sentence": (
        {"proto/README.md": MATRIX.replace("a y cannot", "it cannot")}, "the sentence of store_y"),
    "a refusal that is no row": (
        {"tests/compile_fail/archive_y.cpp":
            COMMENT + "// Refused: x\nvoid store_z()\n// Refused: a y\nvoid store_y()\n"},
        "says no for store_z"),
    "a snippet that nothing compiles": (
        {"README.md": "```cpp\nint two();\n```\n"}, "README.md:1: this code"),
}


class TidyTest(unittest.TestCase):
    def found(self, changes=None, not_executable=()):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**GOOD, **(changes or {})}.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
                if path.endswith("/run") and path not in not_executable:
                    os.chmod(full, 0o755)
            return problems(root)

    def test_a_tidy_tree_has_no_problems(self):
        self.assertEqual(self.found(), [])

    def test_every_breach_is_found(self):
        for name, (changes, expected) in BREACHES.items():
            with self.subTest(name):
                self.assertIn(expected, "\n".join(self.found(changes)))

    def test_a_run_file_must_be_executable(self):
        self.assertIn("daemon/run: not executable", self.found(not_executable=("daemon/run",)))


if __name__ == "__main__":
    unittest.main()
