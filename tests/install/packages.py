"""The packages that cpack has made, unpacked into a directory of a test's own."""
import glob
import os
import shutil
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
DIRECTORY = os.environ["WHARF_PACKAGES"]
NAMES = ("wharfd", "wharfctl", "libwharf0.1", "libwharf-dev")


def run(*words, **how):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **how)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def file_of(package):
    """A build directory may hold older ones: the newest counts."""
    return max(glob.glob(os.path.join(DIRECTORY, package + "_*.deb")), key=os.path.getmtime)


class Case(unittest.TestCase):
    """Each class unpacks them once; nothing is installed, and no maintainer script runs."""

    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix="wharf-install-")
        cls.addClassCleanup(shutil.rmtree, cls.work)
        cls.root = os.path.join(cls.work, "root")
        for package in NAMES:
            run("dpkg-deb", "--extract", file_of(package), cls.root)
        cls.libraries = os.path.dirname(
            glob.glob(cls.root + "/usr/lib/**/libwharf-proto.so", recursive=True)[0])
