"""Memory that was freed is taken again instead of being cleared anew by the kernel."""

import subprocess
import sys

import pytest

from kart_pipeline.learning import memory

# Takes 100 MB, writes to it and frees it, again and again; prints how many page faults all but the first time took.
TAKE_AND_FREE = """
import ctypes, resource, sys
from kart_pipeline.learning.memory import keep_memory
if sys.argv[1] == "keep":
    assert keep_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes, libc.memset.argtypes = [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
def once():
    block = libc.malloc(100 << 20)
    libc.memset(block, 1, 100 << 20)
    libc.free(block)
once()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    once()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    run = subprocess.run([sys.executable, "-c", TAKE_AND_FREE, how], check=True, capture_output=True, text=True)
    return int(run.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other allocators are left alone")
def test_a_block_that_was_freed_costs_no_page_fault_when_it_is_taken_again() -> None:
    assert faults("keep") < 100
    assert faults("leave") > 1_000


def test_elsewhere_it_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "win32")
    assert memory.keep_memory() is False
