#!/usr/bin/env python3
"""Writes the seeds that are no text, with pyarrow and python-lz4, so that our own code has no part in them."""

from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import lz4.frame
import pyarrow as pa

SEEDS = Path(__file__).parent / "seeds"


def write(target, name, cuts, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(cuts.encode() + b"\n" + data)


def stream(table, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


plain = pa.table({"id": pa.array([1, 2, None], pa.int64()), "name": ["a", "", None]})
kinds = pa.table({
    "flag": pa.array([True, None], pa.bool_()),
    "tiny": pa.array([-1, 2], pa.int8()),
    "real": pa.array([1.5, float("nan")], pa.float64()),
    "price": pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)),
    "day": pa.array([date(2024, 1, 31), date(1, 1, 1)], pa.date32()),
    "at": pa.array([datetime(2024, 1, 31, 12, tzinfo=timezone.utc), None], pa.timestamp("us", "UTC")),
    "raw": pa.array([b"\x00\xff", None], pa.binary()),
})
nested = pa.table({
    "list": pa.array([[1, 2], None], pa.list_(pa.int32())),
    "pair": pa.array([{"a": 1, "b": "x"}, None], pa.struct([("a", pa.int64()), ("b", pa.string())])),
    "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int32())),
})
spans = pa.table({"span": pa.array([90], pa.duration("us")), "months": pa.array([None], pa.month_day_nano_interval())})
words = pa.table({"word": pa.array(["x", "y", "x"]).dictionary_encode()})

write("arrow", "plain", "2 1000", stream(plain))
write("arrow", "in-pieces", "2 7 64", stream(plain))
write("arrow", "no-rows", "2", stream(plain.slice(0, 0)))
write("arrow", "kinds", "7", stream(kinds))
write("arrow", "nested", "3", stream(nested))
write("arrow", "spans", "2", stream(spans))
write("arrow", "dictionary", "1", stream(words))
write("arrow", "views", "2", stream(pa.table({"id": pa.array([1]), "name": pa.array(["a long enough text"], pa.string_view())})))
write("arrow", "compressed", "2", stream(plain, compression="lz4"))
write("arrow", "rows-of-json", "2", b'[["1","a"],["2",null]]')

text = b"1,manhattan,2024-01-31\n" * 40
noise = bytes((i * i * 7919 >> 3) & 0xFF for i in range(300))
skippable = bytes.fromhex("532a4d18 03000000 010203")


def frame(data, **options):
    return lz4.frame.compress(data, **options)


all_checks = {"content_checksum": True, "block_checksum": True, "store_size": True}
write("lz4", "plain", "5", frame(text, store_size=False))
write("lz4", "checksums", "64 1", frame(text, **all_checks))
write("lz4", "linked", "100", frame(text * 30, block_linked=True, block_size=lz4.frame.BLOCKSIZE_MAX64KB, **all_checks))
write("lz4", "independent", "100", frame(text, block_linked=False, content_checksum=True))
write("lz4", "stored", "", frame(noise, block_checksum=True))
write("lz4", "empty", "", frame(b"", content_checksum=True))
write("lz4", "skippable", "9", frame(text) + skippable + frame(b"end"))
write("lz4", "frames", "1000", frame(text) + frame(noise))
write("lz4", "flipped", "", bytearray(frame(text, **all_checks))[:-9] + b"\x01" + frame(text, **all_checks)[-8:])
write("lz4", "cut", "", frame(text)[:-4])
write("lz4", "not-compressed", "3", b'[["1"]]')
