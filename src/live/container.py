"""The frame of every snapshot: a header in JSON that says where each block lies, and blocks deflated one by one.

A reader that wants one region reads the header and the blocks whose boxes touch the region, by range requests.
"""

from __future__ import annotations

import zlib

import msgspec

from live.errors import SnapshotError
from live.layout import BOX_DEGREE, LATEST, MAGIC, MAX_AIRCRAFT, MAX_BLOCKS, MAX_HEADER, MAX_IN_BLOCK, PREFIX, VERSION
from live.order import Order

RAW_DEFLATE = -15


class Block(msgspec.Struct, array_like=True, frozen=True):
    """Where a block lies and what it covers.

    `size` is in bytes, `crc32` that of the deflated bytes; the box's edges are whole hundredths of a degree, rounded
    outwards. A block of aircraft without position has no box.
    """

    aircraft: int
    size: int
    crc32: int
    south: int | None = None
    west: int | None = None
    north: int | None = None
    east: int | None = None

    def touches(self, south: float, west: float, north: float, east: float) -> bool:
        """Whether the box has a point in common with the one given in degrees; `west > east` crosses 180 degrees."""
        if self.south is None or self.west is None or self.north is None or self.east is None:
            return False
        if self.north < south * BOX_DEGREE or self.south > north * BOX_DEGREE:
            return False
        from_west, to_east = self.east >= west * BOX_DEGREE, self.west <= east * BOX_DEGREE
        return (from_west and to_east) if west <= east else (from_west or to_east)


class Column(msgspec.Struct, array_like=True, frozen=True):
    """How a column is coded: the number is `base + step * (code - 1)`, and code 0 says that there is no value.

    A code has `planes` bytes. The lowest `rough` of them hardly ever repeat: they are stored apart from the others, so
    that they do not cost those their short codes.
    """

    base: int
    step: int
    planes: int
    rough: int


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a snapshot says of itself. Times are milliseconds since the epoch."""

    shard: str
    window_start: int
    window_end: int
    part: int = 0
    sequence: str
    """The last record's sequence number that is in it, in digits."""
    closed: bool = False
    """Whether nothing is added to this part any more."""
    written_at: int
    left_out: int = 0
    """Aircraft whose times are weeks away from most others': no column holds them."""
    identity: str | None = None
    """Of positions: the version of the identities that belong to them. Of identities: their own version."""
    columns: tuple[Column, ...] = ()
    """Of positions: how each column is coded."""
    addresses: tuple[str, ...] = ()
    """Addresses that are not six hexadecimal digits."""
    fields: tuple[str, ...] = ()
    """Of identities: their fields, in order."""
    blocks: tuple[Block, ...]

    @property
    def aircraft(self) -> int:
        """How many aircraft the blocks hold."""
        return sum(block.aircraft for block in self.blocks)

    @property
    def order(self) -> Order:
        """What decides which of two snapshots of a shard is the later one."""
        return Order(self.window_start, self.part, int(self.sequence))


_decode = msgspec.json.Decoder(Header).decode


def inflate(data: bytes | memoryview, most: int, what: str) -> bytes:
    """Return what a raw deflate stream holds, at most `most` bytes.

    Raises
    ------
    SnapshotError
        The stream is damaged, cut short, followed by something, or holds more.
    """
    decompressor = zlib.decompressobj(RAW_DEFLATE)
    try:
        inflated = decompressor.decompress(data, most + 1)
    except zlib.error as error:
        raise SnapshotError(f"{what}: not a deflate stream ({error})") from None
    if len(inflated) > most:
        raise SnapshotError(f"{what}: more than {most} bytes when inflated")
    if not decompressor.eof or decompressor.unused_data:
        raise SnapshotError(f"{what}: a deflate stream that is cut short, or followed by something")
    return inflated


def read_header(data: bytes, kind: int) -> tuple[Header, int]:
    """Return a snapshot's header, and where its first block begins; `data` may end anywhere after the header.

    Raises
    ------
    SnapshotError
        It is not a snapshot of this kind and version, or the header is damaged or not all there.
    """
    packed, plain, crc32 = _read_prefix(data, kind)
    end = PREFIX.size + packed
    if len(data) < end:
        raise SnapshotError(f"header: ends at byte {end} of {len(data)}")
    deflated = memoryview(data)[PREFIX.size : end]
    if zlib.crc32(deflated) != crc32:
        raise SnapshotError("header: damaged; its checksum is another one")
    text = inflate(deflated, plain, "header")
    if len(text) != plain:
        raise SnapshotError(f"header: {len(text)} bytes; expected {plain}")
    try:
        header = _decode(text)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"header: {error}") from None
    _check(header)
    return header, end


def _read_prefix(data: bytes, kind: int) -> tuple[int, int, int]:
    """Return the header's size deflated and inflated, and its checksum."""
    if len(data) < PREFIX.size:
        raise SnapshotError(f"snapshot: {len(data)} bytes; expected at least {PREFIX.size}")
    magic, version, found, reserved, packed, plain, crc32 = PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise SnapshotError(f"snapshot: begins with {magic!r}; expected {MAGIC!r}")
    if version != VERSION:
        raise SnapshotError(f"snapshot: version {version}; this reader knows {VERSION}")
    if found != kind:
        raise SnapshotError(f"snapshot: kind {found}; expected {kind}")
    if reserved:
        raise SnapshotError(f"snapshot: {reserved} in its reserved bytes; expected 0")
    if plain > MAX_HEADER or packed > MAX_HEADER:
        raise SnapshotError(f"header: {plain} bytes; expected at most {MAX_HEADER}")
    return packed, plain, crc32


def block_bytes(header: Header, place: int, data: bytes | memoryview) -> bytes | memoryview:
    """Return a block's deflated bytes after comparing them with what the header says of them.

    Raises
    ------
    SnapshotError
        They belong to another version of the object, or are damaged.
    """
    block = header.blocks[place]
    if len(data) != block.size or zlib.crc32(data) != block.crc32:
        raise SnapshotError(
            f"block {place}: {len(data)} bytes of checksum {zlib.crc32(data):08x}; expected {block.size} of "
            f"{block.crc32:08x}"
        )
    return data


def _check(header: Header) -> None:
    """Refuse a header whose numbers no writer of ours gives."""
    if not (header.sequence.isascii() and header.sequence.isdigit() and len(header.sequence) <= 128):  # noqa: PLR2004  # twice Kinesis's 56
        raise SnapshotError(f"header: sequence {header.sequence[:20]!r}; expected at most 128 digits")
    if not (0 <= header.window_start <= LATEST and 0 <= header.window_end <= LATEST and header.part >= 0):
        raise SnapshotError(
            f"header: part {header.part} of the window {header.window_start} to {header.window_end}; expected one of "
            "the years 1970 to 9998"
        )
    if len(header.blocks) > MAX_BLOCKS:
        raise SnapshotError(f"header: {len(header.blocks)} blocks; expected at most {MAX_BLOCKS}")
    for place, block in enumerate(header.blocks):
        if not 0 < block.aircraft <= MAX_IN_BLOCK or block.size < 0:
            raise SnapshotError(f"block {place}: {block.aircraft} aircraft in {block.size} bytes")
    if header.aircraft > MAX_AIRCRAFT:
        raise SnapshotError(f"header: {header.aircraft} aircraft; expected at most {MAX_AIRCRAFT}")
