"""Where callgrind starts to count: the counted process itself tells it.

Until then that process runs several times as fast where it can send callgrind its *client request* to instrument, which
is a sequence of instructions (`valgrind.h`: rotations of a register by 128 bits in all, and an exchange with itself,
the request's address in RAX). On other processors all of it is instrumented, and a mark sets the counts to zero.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
from typing import Final

_MARK: Final = "getppid*"
"""A function of the C library that nobody else calls."""

_START_INSTRUMENTATION: Final = (ord("C") << 24 | ord("T") << 16) + 4
"""`CALLGRIND_START_INSTRUMENTATION` (`callgrind.h`)."""

_REQUEST: Final = bytes.fromhex(
    "4889f8"  # mov rax, rdi: the request
    "31d2"  # xor edx, edx: the answer without a valgrind
    "48c1c703 48c1c70d 48c1c73d 48c1c733"  # rol rdi, 3, 13, 61 and 51: what valgrind looks for
    "4887db"  # xchg rbx, rbx: a client request
    "c3"  # ret
)

_can_request: Final = platform.machine() == "x86_64"


def options() -> list[str]:
    """Return the options of valgrind that go with `begin`."""
    return ["--instr-atstart=no"] if _can_request else [f"--zero-before={_MARK}"]


def begin() -> None:
    """Have what follows counted, and nothing before it."""
    if not _can_request:
        os.getppid()
        return
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(_REQUEST)
    request = (ctypes.c_uint64 * 6)(_START_INSTRUMENTATION)
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)(ctypes.addressof(request))
