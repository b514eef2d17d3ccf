# C++ in a README is code that the build compiles: each block stands, line by line, in a source.
import re

BLOCK = re.compile(r"^```cpp\n(.*?)^```", re.MULTILINE | re.DOTALL)


def condensed(text):
    """Lines without indentation; empty ones are gone."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def contains(lines, block):
    return any(lines[i:i + len(block)] == block for i in range(len(lines) - len(block) + 1))


def check_snippets(tree):
    sources = [condensed(tree.text(path)) for path in tree.sources()
               if "/examples/" in path or path.startswith("tests/")]
    for path in tree.paths:
        if not path.endswith(".md"):
            continue
        text = tree.text(path)
        for match in BLOCK.finditer(text):
            block = condensed(match.group(1))
            if not any(contains(lines, block) for lines in sources):
                number = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{number}: this code is not part of a compiled example"


RULES = [check_snippets]
