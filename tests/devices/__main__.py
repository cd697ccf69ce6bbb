"""`make test-devices`: the tests in `guest`, run in a virtual machine whose kernel makes gamepads."""

import sys
from pathlib import Path

from tests.devices.virtual_machine import CannotRunError, Parts, run, say

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """The exit code of the guest's pytest; 2 with a sentence where there can be no guest."""
    pytest = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "tests/devices/guest", *sys.argv[1:]]
    pytest.append(f"--color={'yes' if sys.stdout.isatty() else 'no'}")
    environment = {"PYTHONPATH": str(ROOT), "KART_DEVICES_GUEST": "1", "HOME": "/tmp", "PYTHONUNBUFFERED": "1"}  # noqa: S108
    try:
        parts = Parts.prepare(ROOT / ".cache/devices")
        say("The virtual machine starts; that and the tests take minutes, on a busy machine many.")
        return run(parts, pytest, ROOT, environment)
    except CannotRunError as reason:
        sys.stderr.write(f"{reason}\n")
        return 2
    except KeyboardInterrupt:
        return 130


sys.exit(main())
