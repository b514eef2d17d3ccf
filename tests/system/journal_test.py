"""Reads back from the real journal what the daemon logs: fields, events with a catalog, and no forged records."""
import json
import os
import re
import time

import case

EVENTS = os.path.join(case.ROOT, "daemon", "log_events.hpp")
CATALOG = os.path.join(case.ROOT, "daemon", "wharf.catalog")
# A line, a field, a priority, what looks like the journal's framing, a terminal's commands.
NASTY = "broken\n<2>forged\nMESSAGE=forged\nPRIORITY=0\n\nMESSAGE\n\x06\x01forged\n\x1b[2J\x9b1m"
UNIT = "wharfd.service"


def event(name):
    with open(EVENTS, encoding="utf-8") as file:
        return re.search(rf'event {name}\{{"(\w+)"', file.read()).group(1)


class Journal(case.Case):
    def records(self, *matches):
        self.box.run("journalctl", "--sync")
        lines = self.box.run("journalctl", "--output=json", "--all", f"_SYSTEMD_UNIT={UNIT}", *matches).stdout
        return [json.loads(line) for line in lines.splitlines()]

    def wait_for(self, *matches):
        """The daemon does not wait for its log: the record comes behind the answer."""
        until = time.monotonic() + 20
        while not (found := self.records(*matches)):
            self.assertLess(time.monotonic(), until, matches)
        return found

    def test_a_record_has_its_event_its_channel_and_its_fields(self):
        self.start()
        record = self.wait_for(f"MESSAGE_ID={event('serving')}")[0]
        self.assertEqual((record["PRIORITY"], record["WHARF_CHANNEL"], record["_TRANSPORT"]),
                         ("5", "daemon", "journal"))
        self.assertIn("serving 1 endpoint", record["MESSAGE"])
        self.ctl("log-level", "session=debug")
        self.ctl("ping")
        record = self.wait_for(f"MESSAGE_ID={event('session_ends')}")[-1]
        self.assertEqual((record["WHARF_CHANNEL"], record["WHARF_ERRC"]), ("session", "connection_closed"))
        self.assertIn("uid 0", record["WHARF_PEER"])
        # One session by its number, as systemd/README.md says.
        told = {each["MESSAGE_ID"] for each in self.records(f"WHARF_SESSION={record['WHARF_SESSION']}")}
        self.assertEqual(told, {event("session_begins"), event("session_ends")})

    def test_the_channel_that_is_not_shown_is_silent(self):
        self.start()
        self.ctl("log-level", "listener=debug")
        self.ctl("ping")
        self.box.systemctl("stop", "wharfd.service")
        self.wait_for(f"MESSAGE_ID={event('stopped')}")
        pid = self.wait_for(f"MESSAGE_ID={event('stopped')}")[-1]["_PID"]
        self.assertEqual(self.records(f"_PID={pid}", f"MESSAGE_ID={event('session_begins')}"), [])

    def test_what_a_caller_sends_forges_no_record(self):
        self.run_probe()
        self.start()
        self.ctl("call", "probe.fail", json.dumps({"text": NASTY}), check=False)
        record = self.wait_for(f"MESSAGE_ID={event('handler_failed')}")[-1]
        text = record["MESSAGE"]
        if isinstance(text, list):  # how the journal writes what a terminal would act on
            text = bytes(text).decode()
        self.assertEqual(text, "handler failed: " + NASTY)
        self.assertEqual((record["PRIORITY"], record["WHARF_COMMAND"]), ("3", "probe.fail"))
        for each in self.records(f"_PID={record['_PID']}"):
            self.assertNotEqual(each["PRIORITY"], "0", each)
            self.assertNotEqual(each["MESSAGE"], "forged", each)

    def test_lines_on_standard_error_are_not_forged_either(self):
        self.run_probe()
        self.configure("lines", '[log]\nformat = "prefixed"\n')
        self.start()
        self.ctl("call", "probe.fail", json.dumps({"text": NASTY}), check=False)
        until = time.monotonic() + 20
        while not (found := [each for each in self.records("_TRANSPORT=stdout")
                             if "handler failed" in each["MESSAGE"]]):
            self.assertLess(time.monotonic(), until)
        self.assertEqual(found[-1]["PRIORITY"], "3")
        self.assertIn(r"broken\n<2>forged\nMESSAGE=forged", found[-1]["MESSAGE"])
        for each in self.records(f"_PID={found[-1]['_PID']}"):
            self.assertNotIn(each["PRIORITY"], ("0", "2"), each)

    def test_the_catalog_explains_each_event(self):
        self.box.install(CATALOG, "/usr/lib/systemd/catalog/wharf.catalog", 0o644)
        self.box.run("journalctl", "--update-catalog")
        with open(EVENTS, encoding="utf-8") as file:
            numbers = re.findall(r'event \w+\{"(\w+)"', file.read())
        self.assertGreater(len(numbers), 20)
        text = self.box.run("journalctl", "--dump-catalog", *numbers).stdout
        self.assertEqual(sorted(re.findall(r"^-- (\w+)$", text, re.MULTILINE)), sorted(numbers))
        self.start()
        told = self.box.run("journalctl", "--catalog", "--no-pager", "-u", UNIT,
                            f"MESSAGE_ID={event('serving')}").stdout
        self.assertIn("Subject: The daemon serves", told)


if __name__ == "__main__":
    case.main()
