# What every file and directory of the tree must look like.
import posixpath
import re

TOP = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "CHANGELOG.md",
       "client", "config", "daemon", "proto", "systemd", "tests",
       ".ci", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore", ".gitattributes"}

LINES_MAX = 800
# A user copies it into a program: it is one file on purpose.
ONE_FILE = {"client/python/wharf.py"}

# Spelled in halves, so that this file does not contain them.
FORBIDDEN = ["TO" + "DO", "FIX" + "ME", "/wo" + "rk/", "place" + "holder"]


def check_top(tree):
    for name in sorted({path.split("/")[0] for path in tree.paths} - TOP):
        yield f"{name}: not one of the fixed names at the top"


# Public headers, drop-ins and what stands deeper are the subject of the directory above them.
def needs_readme(directory):
    words = directory.split("/")
    return not (directory.startswith(".") or len(words) > 2 or words[-1] == "wharf" or
                words[-1].endswith(".d"))


def check_readmes(tree):
    directories = {posixpath.dirname(path) for path in tree.paths}
    # A directory that holds only directories counts too.
    directories |= {posixpath.dirname(directory) for directory in directories}
    for directory in sorted(directories):
        readme = posixpath.join(directory, "README.md")
        if readme not in tree.known and (directory == "" or needs_readme(directory)):
            yield f"{directory or '.'}: has no README.md"


def first_comment(lines):
    """The first comment of a file, as one line of text; empty when code comes first."""
    words = []
    for line in lines:
        if not words and (line.startswith("#!") or line.startswith("# shellcheck ")):
            continue
        match = re.match(r'(?://+|#|""")\s?(?!include|pragma)(.*)', line)
        if not match:
            break
        words.append(match.group(1))
    return " ".join(words)


def check_first_sentence(tree):
    for path in tree.written():
        if not path.endswith((".hpp", ".cpp", ".py", ".sh", "/run")):
            continue
        if not re.match(r"\S+( \S+){3,}.*[.:]", first_comment(tree.lines(path))):
            yield f"{path}: does not begin with a sentence that says its job"


def check_size(tree):
    for path in tree.written():
        count = len(tree.lines(path))
        if count > LINES_MAX and path not in ONE_FILE:
            yield f"{path}: {count} lines; a file of more than {LINES_MAX} has two jobs"


def check_characters(tree):
    for path in tree.written():
        for number, line in enumerate(tree.lines(path), 1):
            if "\t" in line:
                yield f"{path}:{number}: a tab"
            for word in FORBIDDEN:
                if word in line:
                    yield f"{path}:{number}: {word}"


def check_run(tree):
    for path in tree.paths:
        if posixpath.basename(path) == "run" and not tree.executable(path):
            yield f"{path}: not executable"


RULES = [check_top, check_readmes, check_first_sentence, check_size, check_characters, check_run]
