"""Passes columns of Python values to DuckDB as an Arrow table, by Arrow's C stream interface, without a library.

DuckDB's alternatives are a statement for each row, which takes fifty times as long, or numpy and pyarrow, which would
be larger than all the rest of the function. The three structures are Arrow's stable ABI
(https://arrow.apache.org/docs/format/CStreamInterface.html); their memory belongs to the `Table` until it is gone.
"""

from __future__ import annotations

import ctypes
from array import array
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

type Kind = Literal["text", "int32", "int64", "double", "bool"]

_FORMATS: Final[dict[Kind, bytes]] = {"text": b"u", "int32": b"i", "int64": b"l", "double": b"g", "bool": b"c"}
_CODES: Final[dict[Kind, str]] = {"int32": "i", "int64": "q", "double": "d", "bool": "b"}
_NULLABLE: Final = 2
_CAPSULE: Final = b"arrow_array_stream"


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_ReleaseSchema = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))
_ReleaseArray = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))
_ReleaseStream = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))
_GetSchema = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))
_GetNext = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))
_GetError = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.POINTER(_Stream))

_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)),
    ("release", _ReleaseSchema),
    ("private_data", ctypes.c_void_p),
]
_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.POINTER(_Array)),
    ("release", _ReleaseArray),
    ("private_data", ctypes.c_void_p),
]
_Stream._fields_ = [
    ("get_schema", _GetSchema),
    ("get_next", _GetNext),
    ("get_last_error", _GetError),
    ("release", _ReleaseStream),
    ("private_data", ctypes.c_void_p),
]

_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def _release(structure: Any) -> None:
    """Mark a structure as released, as the interface has it; the memory is the table's."""
    structure.contents.release = type(structure.contents.release)()


class Table:
    """Columns of one length, which DuckDB reads where a query uses the table's name. None is NULL.

    Keep the table until the query has ended.
    """

    _release_schema: ClassVar = _ReleaseSchema(_release)
    _release_array: ClassVar = _ReleaseArray(_release)
    _release_stream: ClassVar = _ReleaseStream(_release)

    def __init__(self, columns: dict[str, tuple[Kind, Sequence[Any]]]) -> None:
        """Take the columns' kinds and values, by name: at least one column."""
        self._kept: list[Any] = []  # whatever the structures point to
        self._length = len(next(iter(columns.values()))[1])
        self._given = False
        self._schema = self._parent_schema([(name.encode(), _FORMATS[kind]) for name, (kind, _) in columns.items()])
        self._array = self._parent_array([self._column(kind, values) for kind, values in columns.values()])
        self._stream = _Stream(
            get_schema=_GetSchema(self._get_schema), get_next=_GetNext(self._get_next),
            get_last_error=_GetError(lambda _: None), release=self._release_stream,
        )  # fmt: skip

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """Return the stream as a capsule: Arrow's own protocol, by which DuckDB knows a table."""
        self._given = False
        self._stream.release = self._release_stream
        return _new_capsule(ctypes.addressof(self._stream), _CAPSULE, None)

    def _get_schema(self, _stream: Any, out: Any) -> int:
        out[0] = self._schema
        return 0

    def _get_next(self, _stream: Any, out: Any) -> int:
        out[0] = _Array() if self._given else self._array  # released from the beginning is the stream's end
        self._given = True
        return 0

    def _parent_schema(self, columns: list[tuple[bytes, bytes]]) -> _Schema:
        children = [
            _Schema(format=kind, name=name, flags=_NULLABLE, release=self._release_schema) for name, kind in columns
        ]
        pointers = self._pointers(_Schema, children)
        return _Schema(
            format=b"+s", name=b"", n_children=len(children), children=pointers, release=self._release_schema
        )

    def _parent_array(self, children: list[_Array]) -> _Array:
        pointers = self._pointers(_Array, children)
        return _Array(
            length=self._length, n_buffers=1, n_children=len(children), children=pointers,
            buffers=self._buffers([None]), release=self._release_array,
        )  # fmt: skip

    def _column(self, kind: Kind, values: Sequence[Any]) -> _Array:
        nulls = values.count(None)
        validity = None
        if nulls:
            bits = "".join(["0" if value is None else "1" for value in reversed(values)])
            validity = int(bits, 2).to_bytes(len(values) // 8 + 1, "little")
        if kind == "text":
            parts = ["" if value is None else value for value in values] if nulls else values
            text = "".join(parts).encode()
            lengths = map(len, parts) if text.isascii() else (len(part.encode()) for part in parts)
            buffers = [validity, array("i", [0, *accumulate(lengths)]).tobytes(), text]
        else:
            numbers = [0 if value is None else value for value in values] if nulls else values
            buffers = [validity, array(_CODES[kind], numbers).tobytes()]
        return _Array(
            length=self._length, null_count=nulls, n_buffers=len(buffers), buffers=self._buffers(buffers),
            release=self._release_array,
        )  # fmt: skip

    def _buffers(self, contents: list[bytes | None]) -> Any:
        addresses = [
            None if content is None else ctypes.cast(ctypes.c_char_p(content), ctypes.c_void_p).value
            for content in contents
        ]
        pointers = (ctypes.c_void_p * len(contents))(*addresses)
        self._kept += [contents, pointers]
        return ctypes.cast(pointers, ctypes.POINTER(ctypes.c_void_p))

    def _pointers(self, structure: Any, children: list[Any]) -> Any:
        pointers = (ctypes.POINTER(structure) * len(children))(*map(ctypes.pointer, children))
        self._kept += [children, pointers]
        return ctypes.cast(pointers, ctypes.POINTER(ctypes.POINTER(structure)))
