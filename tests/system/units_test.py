"""What systemd-analyze says of the units, and what they must have in common."""
import re

import case

UNITS = ("wharfd.service", "wharfd.socket", "wharfd@.service", "wharfd@.socket")
# The threshold is ten times the exposure: at most 1.1, and sealed at most 0.3.
EXPOSURE_MAX = 11
SEALED_EXPOSURE_MAX = 3
DIRECTORY = "/run/units"


class Units(case.Case):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.box.run, "rm", "-rf", DIRECTORY)

    def lay_out(self, *drop_ins):
        for unit in UNITS:
            self.box.write(f"{DIRECTORY}/{unit}", case.unit_file(unit))
        for name in drop_ins:
            for unit in ("wharfd.service", "wharfd@.service"):
                self.box.write(f"{DIRECTORY}/{unit}.d/{name}", case.unit_file(name))

    def security(self, threshold, unit="wharfd.service"):
        done = self.box.run("systemd-analyze", "security", "--offline=yes", f"--threshold={threshold}",
                            f"{DIRECTORY}/{unit}", check=False)
        return done.returncode, done.stdout.splitlines()[-1] + done.stderr

    def test_the_exposure_is_less_than_of_any_network_daemon_of_debian(self):
        self.lay_out()
        for unit in ("wharfd.service", "wharfd@.service"):
            status, said = self.security(EXPOSURE_MAX, unit)
            print(f"{unit}: {said}")
            self.assertEqual(status, 0, said)
        # The threshold is one: a unit of more does not pass.
        self.box.write(f"{DIRECTORY}/wharfd.service.d/open.conf", "[Service]\nIPAddressDeny=\nIPAddressAllow=\n")
        self.assertNotEqual(self.security(EXPOSURE_MAX)[0], 0)

    def test_the_sealed_exposure_is_nearly_none(self):
        self.lay_out("10-sealed.conf")
        for unit in ("wharfd.service", "wharfd@.service"):
            status, said = self.security(SEALED_EXPOSURE_MAX, unit)
            print(f"{unit}, sealed: {said}")
            self.assertEqual(status, 0, said)
        self.box.write(f"{DIRECTORY}/wharfd.service.d/open.conf", "[Service]\nRootDirectory=\n")
        self.assertNotEqual(self.security(SEALED_EXPOSURE_MAX)[0], 0)

    def verify(self):
        units = [f"{DIRECTORY}/{unit.replace('@', '@one')}" for unit in UNITS]
        for unit, path in zip(UNITS, units):
            if "@" in unit:
                self.box.run("mv", f"{DIRECTORY}/{unit}", path)
        # The container's overlay has unit files of its own, of which there is much to say: only ours.
        done = self.box.run("env", f"SYSTEMD_UNIT_PATH={DIRECTORY}:/usr/lib/systemd/system",
                            "systemd-analyze", "verify", "--man=no", *units, check=False)
        return [line for line in (done.stdout + done.stderr).splitlines() if "wharf" in line]

    def test_verify_has_nothing_to_say(self):
        self.lay_out("10-sealed.conf")
        self.assertEqual(self.verify(), [])

    def test_verify_would_say_something(self):
        self.lay_out()
        self.box.write(f"{DIRECTORY}/wharfd.service.d/wrong.conf", "[Service]\nPrivateNetwrk=yes\n")
        self.assertNotEqual(self.verify(), [])

    def test_an_instance_has_the_sandbox_of_the_one_daemon(self):
        for kind in ("service", "socket"):
            one, several = (re.sub("^#.*\n", "", case.unit_file(f"wharfd{at}.{kind}"), flags=re.MULTILINE)
                            for at in ("", "@"))
            for instance, single in (("Description=Wharf command daemon %i", "Description=Wharf command daemon"),
                                     ("Description=Wharf listeners %i", "Description=Wharf listeners"),
                                     ("wharfd@%i.socket", "wharfd.socket"),
                                     (" --config /etc/wharf/%i.conf", ""), ("wharf-%i", "wharf"),
                                     ("/run/wharf/%i.sock", "/run/wharf/wharf.sock")):
                several = several.replace(instance, single)
            self.assertEqual(several, one)


if __name__ == "__main__":
    case.main()
