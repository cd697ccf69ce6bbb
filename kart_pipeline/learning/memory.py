"""How a process that computes networks keeps the memory that they ask for in each step."""

import ctypes
import sys

# Of glibc's malloc.h; there is no other way to set them from within.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_MOST = 2**31 - 1  # mallopt takes an int
_TOP_PAD = 64 << 20  # bytes that the heap grows by at least


def keep_memory() -> bool:
    """Let freed memory stay with the process, for the next step to take; until the process ends it is not given back.

    TensorFlow asks for a step's tensors with `malloc` and frees them after it. glibc takes blocks above 32 MB from
    the kernel and gives them back each time, and the kernel clears every page of them anew: some 90,000 page faults a
    step in training a small residual network, 500 when it is kept, and then 1.76 times as many steps a second
    (`python -m benchmarks memory`; docs/performance.md has the machine). A process needs no more at its peak, it only
    stays there.

    To be called before the threads of TensorFlow exist. Other systems' allocators keep large blocks by themselves, or
    cannot be told: there it does nothing.

    Returns:
        Whether this process now keeps its memory.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    wanted = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _MOST), (_M_TOP_PAD, _TOP_PAD), (_M_ARENA_MAX, 1))
    accepted = [mallopt(option, value) == 1 for option, value in wanted]
    return all(accepted)
