# The files of a source tree, as the rules of the tidy test see them.
import os

SKIPPED = {"build", ".git", "__pycache__", ".cache"}


class Tree:
    """All files below a root, without build directories. Paths are relative, with '/'."""

    def __init__(self, root):
        self.root = root
        self.paths = []
        for directory, names, files in os.walk(root):
            names[:] = sorted(name for name in names if name not in SKIPPED)
            for file in sorted(files):
                self.paths.append(os.path.relpath(os.path.join(directory, file), root))
        self.known = set(self.paths)

    def text(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def lines(self, path):
        return self.text(path).splitlines()

    def executable(self, path):
        return os.access(os.path.join(self.root, path), os.X_OK)

    def sources(self):
        """C++ sources and headers."""
        return [path for path in self.paths if path.endswith((".hpp", ".cpp"))]

    def written(self):
        """Everything that people write: not corpora and recorded bytes."""
        binary = ("tests/fuzz/corpus/", "tests/golden/", "tests/daemon/store_format_1/")
        return [path for path in self.paths
                if not path.startswith(binary) or path.endswith((".md", ".cpp", ".py"))]
