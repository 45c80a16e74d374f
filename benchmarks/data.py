"""Images per second from originals and from the image cache: ``python -m benchmarks.data``.

Originals of 2,500 x 3,000 pixels are made on the spot in a temporary folder: JPEG, PNG (8 bits) and DICOM (12
bits in 16, uncompressed). They are cached, read back both ways in turns, by one process, up to the tensor a
network takes; both ways are checked to give the same. A larger cache is read in the two orders that
pre-training has, at random and shard by shard, from memory and after that was cleared. Then batches of
training loaders are timed beside the forward and backward pass of a ResNet-50 with random weights: the loader
must not be the bottleneck. Originals are read soon after they were written, so that all come from memory; on
a disk or a network they, being a hundred times larger, are slower still.
"""

import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from tabulate import tabulate
from torch.utils.data import DataLoader

from benchmarks.measuring import in_turns, median_ratio, seconds
from benchmarks.shard_reading import ORDERS, forget, loader, make_shards, read_pixels
from prior_bench.api import InputSpec
from prior_bench.data.images.cache.build import build
from prior_bench.data.images.cache.reference import use_cache
from prior_bench.data.images.dataset import ImageDataset
from prior_bench.data.images.decode import reduced
from prior_bench.data.images.read import read_image
from prior_bench.data.images.transforms import eval_transform, train_transform
from prior_bench.data.manifest import Manifest
from prior_bench.encoders.image import ImageEncoder
from prior_bench.errors import BenchError
from prior_bench.pretraining.dataset import Pairs

KINDS = ("jpg", "png", "dcm")
AUGMENTED = {"RandomResizedCrop": {"scale": (0.6, 1.0)}, "RandomAffine": {"degrees": 10, "p": 0.5}}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=12, help="of each kind (default: 12)")
    parser.add_argument("--cached", type=int, default=4096, help="images of the larger cache (default: 4096)")
    parser.add_argument("--height", type=int, default=3000)
    parser.add_argument("--width", type=int, default=2500)
    parser.add_argument("--size", type=int, default=256, help="longest side in the cache (default: 256)")
    parser.add_argument("--input", type=int, default=224, help="side of the network's input")
    parser.add_argument("--encoder", default="resnet50", help="timm model (default: resnet50)")
    parser.add_argument("--batch", type=int, default=8, help="of loader and encoder (default: 8)")
    parser.add_argument("--workers", type=int, default=0, help="of the loader, and to make the cache with")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PRIOR_BENCH_CACHE"] = str(Path(folder) / "cache")
        pairs = show_reading(options, Path(folder))
        shards = make_shards(Path(folder), options.cached, options.size)
        show_orders(options, shards)
        show_training(options, pairs, shards)


def show_reading(options: argparse.Namespace, folder: Path) -> dict[str, tuple[Manifest, Manifest]]:
    """One line per kind of file; returns originals and cached images by kind."""
    feed, pairs, rows = eval_transform(InputSpec(size=options.input)), {}, []
    for kind in KINDS:
        originals = make_originals(folder / kind, kind, options.images, (options.height, options.width))
        making = seconds(partial(build, originals, options.size, max(1, options.workers)))
        cached = use_cache(originals, options.size, kind)
        assert_same(originals, cached, options.size)
        ways = {"originals": originals, "cache": cached}
        calls = {name: partial(_read_all, ImageDataset(manifest, feed)) for name, manifest in ways.items()}
        times = in_turns(calls, options.repeats)
        per_second = [options.images / min(times[name]) for name in ways]
        bytes_each = sum(originals.path(i).stat().st_size for i in range(options.images)) / options.images
        cached_each = float(np.mean([read_image(cached.path(i)).nbytes for i in range(options.images)]))
        ratio = median_ratio(times["originals"], times["cache"])
        sizes = [f"{bytes_each / 1e6:.1f} MB", f"{cached_each / 1e3:.0f} kB"]
        speeds = [f"{value:,.1f}" for value in (options.images / making, *per_second)]
        rows.append([kind, *sizes, *speeds, f"{ratio:,.0f} x"])
        pairs[kind] = originals, cached
    print(f"{options.height} x {options.width}, cached at {options.size}, fed at {options.input}; images/s:")
    head = ["", "a file", "cached", "made", "read from originals", "read from cache", "cache / originals"]
    print(tabulate(rows, head, disable_numparse=True, colalign=("left", *["right"] * 6)), flush=True)
    return pairs


def show_orders(options: argparse.Namespace, shards: Pairs) -> None:
    """Pixels alone, from the larger cache, in both orders."""
    count = len(shards.pairs) // options.batch * options.batch
    print(f"\n{len(shards.pairs):,} cached images, pixels only, one process; images/s:")
    rows = []
    for state in ("cold", "warm"):
        calls = {order: partial(read_pixels, shards, order, options.batch) for order in ORDERS}
        times = in_turns(calls, options.repeats, before=partial(forget, shards) if state == "cold" else None)
        speeds = [f"{count / min(times[order]):,.0f}" for order in ORDERS]
        rows.append([state, *speeds, f"{median_ratio(*(times[order] for order in ORDERS)):,.2f} x"])
    head = ["", *ORDERS, "shard by shard / at random"]
    print(tabulate(rows, head, disable_numparse=True, colalign=("left", *["right"] * 3)), flush=True)


def show_training(
    options: argparse.Namespace, pairs: dict[str, tuple[Manifest, Manifest]], shards: Pairs
) -> None:
    """Training loaders beside an encoder."""
    spec = InputSpec(size=options.input)
    originals, cached = pairs["jpg"]
    encoder = ImageEncoder(options.encoder, input={"size": options.input})
    images = torch.randn(options.batch, spec.channels, options.input, options.input)
    how = dict(spec=spec, transform=AUGMENTED, batch=options.batch, workers=options.workers)
    in_order = {f"cache, {order}": loader(shards, order, **how) for order in ORDERS}
    calls = {
        "encoder": partial(_step, encoder, images),
        "cache, tasks": partial(_epoch, _loader(cached, spec, options, times=8)),
        **{name: partial(_epoch, one) for name, one in in_order.items()},
        "originals": partial(_epoch, _loader(originals, spec, options, times=1)),
    }
    counts = {"encoder": options.batch, "cache, tasks": 8 * options.images, "originals": options.images}
    counts |= {name: len(one) * options.batch for name, one in in_order.items()}
    times = in_turns(calls, options.repeats)
    fast = {name: counts[name] / min(times[name]) for name in calls}
    print(f"\n{options.encoder}, forward and backward at B={options.batch}: {fast['encoder']:,.1f} images/s")
    for name in list(calls)[1:]:
        ratio = median_ratio(
            [t / counts["encoder"] for t in times["encoder"]], [t / counts[name] for t in times[name]]
        )
        print(
            f"  loader from {name:23}{fast[name]:10,.1f} images/s, {options.workers} workers: "
            f"{ratio:,.2f} x the encoder",
            flush=True,
        )


def make_originals(folder: Path, kind: str, count: int, shape: tuple[int, int]) -> Manifest:
    """Files that compress about as radiographs do: smooth shapes under grain."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.uniform(600, 3400, (12, 10)).astype(np.float32))
    base = np.array(coarse.resize(shape[::-1], Image.Resampling.BICUBIC))
    base += rng.normal(0, 24, shape).astype(np.float32)
    names = [f"{i:04d}.{kind}" for i in range(count)]
    for i, name in enumerate(names):
        pixels = np.roll(base, (37 * i, 61 * i), (0, 1)).clip(0, 4095)
        if kind == "dcm":
            _write_dicom(folder / name, pixels.astype(np.uint16))
        else:
            how = {"quality": 90} if kind == "jpg" else {"compress_level": 3}
            Image.fromarray((pixels / 16).astype(np.uint8)).save(folder / name, **how)
    table = pd.DataFrame({"id": names, "patient_id": names, "image": names, "split": "train"})
    return Manifest(kind, folder, table)


def assert_same(originals: Manifest, cached: Manifest, size: int) -> None:
    """Reading the cache is decoding and reducing, bit for bit."""
    there, now = read_image(cached.path(0)), reduced(read_image(originals.path(0)), size)
    assert np.array_equal(there, now), "the cache differs from its originals"


def _write_dicom(path: Path, pixels: np.ndarray) -> None:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PixelRepresentation = 1, 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PixelData = pixels.tobytes()
    data.save_as(path, enforce_file_format=True)


def _loader(manifest: Manifest, spec: InputSpec, options: argparse.Namespace, times: int) -> DataLoader:
    dataset = ImageDataset(manifest, train_transform(spec, AUGMENTED))
    rows = [i for _ in range(times) for i in range(options.images)]
    return DataLoader(dataset, options.batch, sampler=rows, num_workers=options.workers)


def _read_all(dataset: ImageDataset) -> None:
    for row in range(len(dataset)):
        dataset[row]


def _epoch(loader: DataLoader) -> None:
    for _ in loader:
        pass


def _step(encoder: ImageEncoder, images: torch.Tensor) -> None:
    encoder.zero_grad()
    encoder(images).global_.square().mean().backward()


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"error: {error}")
