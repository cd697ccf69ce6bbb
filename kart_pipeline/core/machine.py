"""The machine that a figure was measured on."""

import os
import platform
from pathlib import Path


def processor() -> str:
    """The processor's name as people know it, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if "model name" in line:
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def machine() -> str:
    """The machine in one line, without its name: processor, cores, system, Python."""
    return f"{processor()}, {os.cpu_count()} logical CPUs, {platform.system()}, Python {platform.python_version()}"
