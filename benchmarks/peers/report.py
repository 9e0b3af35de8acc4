"""What peers.py found, as text and as a plot."""

import math
from xml.sax.saxutils import escape

from processes import BEST, MEDIUM, MEDIUM_PEER, OURS, PEERS

MEGABYTE = 1e6


def title(row):
    return row["name"] if row["level"] == BEST else f"{row['name']} [{row['level']}]"


def cell(result):
    return f"{result['ms']:.3g}" if "ms" in result else "fails" if "error" in result else ""


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|", *("| " + " | ".join(row) + " |" for row in rows)]


def number(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


def summary(report):
    """How many rows are won, and the geometric mean of the ratios, by level and number of threads."""
    lines = []
    for kind, against in (("ratio", "the better float32 peer"), ("medium_ratio", f"{MEDIUM_PEER} at medium precision")):
        for level in report["levels"]:
            for threads in map(str, report["threads"]):
                ratios = [row[kind][threads] for row in report["models"] if row["level"] == level and row[kind].get(threads)]
                if ratios:
                    lines.append(f"- {level}, {threads} thread{'s' * (threads != '1')}, against {against}: faster on {sum(r < 1 for r in ratios)} of {len(ratios)}, "
                                 f"geometric mean of the ratios {geometric_mean(ratios):.2f}, worst {max(ratios):.2f}")
    return lines


def losses(report):
    lost = []
    for row in report["models"]:
        for kind, against in (("ratio", "float32"), ("medium_ratio", "medium")):
            lost += [(value, f"{title(row)}, {threads} thread{'s' * (threads != '1')}, {against}: {value:.2f}")
                     for threads, value in row[kind].items() if value and value >= 1]
    return ["- " + text for _, text in sorted(lost, reverse=True)]


def loading(report):
    """Load to first result, and peak memory above what the process held before."""
    first = str(report["threads"][0])
    rows = []
    for row in report["models"]:
        results = row["results"][first]
        have = [r for r in report["runtimes"] if "ms" in results.get(r, {})]
        rows.append([title(row), *(f"{results[r]['load_ms']:.0f}, {results[r]['first_ms']:.0f}" if r in have else "" for r in report["runtimes"]),
                     *(f"{results[r]['peak_bytes'] / MEGABYTE:.0f}" if r in have else "" for r in report["runtimes"])])
    return table(["model", *(f"{r}, load and first result ms" for r in report["runtimes"]), *(f"{r} MB" for r in report["runtimes"])], rows)


def rates(report):
    rows = []
    for row in report["models"]:
        rows += [[title(row), streams, *(f"{by[r]:.4g}" if r in by else "" for r in report["runtimes"])] for streams, by in row["throughput"].items()]
    return table(["model", "streams", *(f"{r} runs/s" for r in report["runtimes"])], rows) if rows else []


def markdown(report):
    machine = report["machine"]
    lines = [f"{machine['processor']}: {', '.join(machine['features'])}; absent: {', '.join(machine['absent'])}; onnxrun's level: "
             f"{machine['onnxrun_simd_level']}. Medians in ms of {report['clock']} time{', batch ' + str(report['batch']) if report['batch'] else ''}; load average "
             f"{report['load_before']:.1f} before, {report['load_after']:.1f} after.", "", *summary(report), ""]
    lost = losses(report)
    lines += ["Losses:", *lost, ""] if lost else ["No losses.", ""]
    threads = report["threads"]
    columns = [(t, r) for t in threads for r in report["runtimes"]]
    head = ["model", *(f"ratio {t}t" for t in threads), *(f"medium {t}t" for t in threads), *(f"{r} {t}t" for t, r in columns)]
    rows, reasons = [], []
    for row in report["models"]:
        by_threads = {t: row["results"][str(t)] for t in threads}
        rows.append([title(row), *(number(row["ratio"].get(str(t))) for t in threads), *(number(row["medium_ratio"].get(str(t))) for t in threads),
                     *(cell(by_threads[t].get(r, {})) for t, r in columns)])
        reasons += [f"- {title(row)}, {r}, {t} threads: {by_threads[t][r]['error']}" for t, r in columns if "error" in by_threads[t].get(r, {})]
    lines += table(head, rows)
    for more in (loading(report), rates(report)):
        lines += ["", *more] if more else []
    lines += ["", "Failures:", *reasons] if reasons else []
    lines += ["", "Not here: " + ", ".join(report["absent"])] if report["absent"] else []
    lines += ["", "Here, but without a size to measure at: " + ", ".join(report["unlisted"])] if report["unlisted"] else []
    return "\n".join(lines) + "\n"


def plot(report):
    """An SVG picture: a bar a row and ratio on a logarithmic axis, to the left of 1 where onnxrun is faster."""
    threads = str(report["threads"][0])
    bars = [(title(row), kind, row[kind][threads]) for row in report["models"] for kind in ("ratio", "medium_ratio") if row[kind].get(threads)]
    bars.sort(key=lambda bar: -bar[2])
    line, left, width = 16, 250, 500
    low = min([0.25, *(value for _, _, value in bars)])
    high = max([2.0, *(value for _, _, value in bars)])

    def x(value):
        return left + width * math.log(value / low) / math.log(high / low)

    height = line * (len(bars) + 3)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{height}" font-family="sans-serif" font-size="11">',
             f'<text x="4" y="{line - 4}">Time of onnxrun by that of the better peer, {threads} thread{"s" * (threads != "1")} '
             f"({escape(' and '.join(PEERS))}; pale: medium precision by {escape(MEDIUM_PEER)})</text>"]
    ticks = [tick for tick in (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5) if low <= tick <= high]
    for tick in ticks:
        parts.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{line * 2}" y2="{height - line}" stroke="{"#333" if tick == 1 else "#ddd"}"/>'
                     f'<text x="{x(tick):.1f}" y="{line * 2 - 4}" text-anchor="middle">{tick:g}</text>')
    for i, (name, kind, value) in enumerate(bars):
        y = line * (i + 2) + 2
        colour = {True: {"ratio": "#2a7f4f", "medium_ratio": "#9fd3b4"}, False: {"ratio": "#b3392f", "medium_ratio": "#e8a9a3"}}[value < 1][kind]
        begin, end = sorted((x(1), x(value)))
        parts.append(f'<text x="{left - 6}" y="{y + 10}" text-anchor="end">{escape(name)}</text>'
                     f'<rect x="{begin:.1f}" y="{y}" width="{max(end - begin, 1):.1f}" height="{line - 4}" fill="{colour}"/>'
                     f'<text x="{left + width + 6}" y="{y + 10}">{value:.2f}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
