# Says on what a figure was measured.
import os
import re


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return f"{os.cpu_count()} CPUs, {model.group(1) if model else os.uname().machine}, " \
           f"Linux {os.uname().release}"
