"""Ratios kept in a file, and whether later ones are worse.

{"version": 1, "machine", "clock", "batch", "ratios": {"MODEL LEVEL KIND THREADS": ratio}}; KIND is ratio or medium_ratio. Ratios to peers on the same machine
depend on its instruction set but hardly on its clock, so a file says something on machines with the same features only.
"""

import json


def ratios_of(report):
    return {f"{row['name']} {row['level']} {kind} {threads}": round(value, 4) for row in report["models"] for kind in ("ratio", "medium_ratio")
            for threads, value in row[kind].items() if value}


def write(path, report):
    """Keeps the ratios of `report`, and those that the file has and `report` lacks."""
    kept = json.loads(path.read_text())["ratios"] if path.exists() else {}
    stored = {"version": 1, "machine": report["machine"], "clock": report["clock"], "batch": report["batch"],
              "ratios": dict(sorted({**kept, **ratios_of(report)}.items()))}
    path.write_text(json.dumps(stored, indent=1) + "\n")


class OtherMachine(Exception):
    pass


def worse(path, report, tolerance):
    """What is worse than in the file by more than the share `tolerance`, as lines. Raises OtherMachine where the file says nothing about this one."""
    stored = json.loads(path.read_text())
    for key in ("features", "onnxrun_simd_level"):
        if stored["machine"][key] != report["machine"][key]:
            raise OtherMachine(f"{path} was measured with {key} {stored['machine'][key]}, here they are {report['machine'][key]}")
    if stored["batch"] != report["batch"]:
        raise OtherMachine(f"{path} was measured at batch {stored['batch']}, this is {report['batch']}")
    return [f"{name}: {now:.3f}, stored {stored['ratios'][name]:.3f}" for name, now in ratios_of(report).items()
            if name in stored["ratios"] and now > stored["ratios"][name] * (1 + tolerance)]
