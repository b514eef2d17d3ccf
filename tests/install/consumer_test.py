"""Builds a user's project against the packages, by CMake and by pkg-config, and runs what comes out."""
import os
import subprocess
import unittest

from packages import HERE, Case, run

SOURCE = os.path.join(HERE, "consumer")


class ConsumerTest(Case):
    def check_programs(self, directory):
        """The daemon answers the client; both load the libraries by the names that promise them."""
        with_libraries = {**os.environ, "LD_LIBRARY_PATH": self.libraries}
        endpoint = f"unix:{directory}/socket"
        server = subprocess.Popen([f"{directory}/server", "--listen", endpoint, "--state", directory],
                                  env=with_libraries)
        try:
            # The client tries again until its call's deadline: nobody waits for the daemon.
            answer = run(f"{directory}/client", env={**with_libraries, "WHARF_ENDPOINT": endpoint})
            self.assertEqual(answer, "9\n")
        finally:
            server.terminate()
            self.assertEqual(server.wait(timeout=60), 0)
        for program, library in (("server", "libwharf-daemon.so.0.1"), ("client", "libwharf-client.so.0.1")):
            needed = run("objdump", "-p", f"{directory}/{program}")
            self.assertRegex(needed, rf"NEEDED +{library}\n")

    def test_find_package(self):
        directory = os.path.join(self.work, "cmake")
        run(os.environ["CMAKE"], "-S", SOURCE, "-B", directory, "-G", "Ninja",
            f"-DCMAKE_CXX_COMPILER={os.environ['CXX']}", f"-DCMAKE_PREFIX_PATH={self.root}/usr")
        run(os.environ["CMAKE"], "--build", directory)
        self.check_programs(directory)

    def test_pkg_config(self):
        directory = os.path.join(self.work, "pkg-config")
        os.mkdir(directory)
        # Only the modules of the packages, so that none of this machine's can stand in for one.
        modules = {**os.environ, "PKG_CONFIG_LIBDIR": f"{self.libraries}/pkgconfig"}
        for program, module in (("server", "wharf-daemon"), ("client", "wharf-client")):
            flags = run("pkg-config", "--cflags", "--libs", f"{module} >= 0.1", env=modules).split()
            run(os.environ["CXX"], "-std=c++20", f"{SOURCE}/{program}.cpp", "-o", f"{directory}/{program}",
                *flags, f"-Wl,-rpath-link={self.libraries}")
        self.check_programs(directory)


if __name__ == "__main__":
    unittest.main()
