"""The tests in `guest` plug gamepads into a kernel: they run in the virtual machine of `make test-devices` only."""

import os

collect_ignore = [] if os.environ.get("KART_DEVICES_GUEST") else ["guest"]
