"""Markdown pages from the public headers: comments become prose, declarations code, and every class or group of functions a section."""

import re
import textwrap

from header_text import opens_type, split


def page(name, text):
    """The page of a header, named as it is included."""
    items = split(text)
    out = [f"# {name}", ""]
    if items and items[0].comment and not items[0].head:
        out += prose(items.pop(0).comment)
    write(items, out)
    return "\n".join(out) + "\n"


def write(items, out):
    """The items of a file or of a namespace: a section for each type and function, one for those constants and types that follow each other."""
    loose = []
    for i, item in enumerate(items):
        head = item.head
        if re.match(r'namespace detail\b', head) or is_hidden(item) or is_announced(item, items[i + 1:]):
            continue
        if re.match(r'(inline\s+)?namespace\b|extern "C"', head):
            flush(loose, out)
            inner = split(item.body)
            if any(i.head for i in inner):
                write(inner, out)
        elif not head:
            flush(loose, out)
            out += prose(item.comment)
        elif opens_type(head) and (item.body is not None or item.comment):
            flush(loose, out)
            write_type(item, out, 2)
        elif item.comment or item.after_blank:
            flush(loose, out)
            loose.append(item)
        else:
            loose.append(item)
    flush(loose, out)


def is_hidden(item):
    """What is no part of the interface: marks for the linker, and members that are defined outside of their class."""
    return bool(re.match(r"#define \w+ __", item.head) or re.match(r"inline (\w+)::\1\(", item.head))


def is_announced(item, later):
    """Whether a type is only named here and comes whole below, with this comment."""
    if not opens_type(item.head) or item.body is not None or item.trailing:
        return False
    whole = [i for i in later if i.body is not None and opens_type(i.head) and name_of(i) == name_of(item)]
    for other in whole:
        other.comment = item.comment or other.comment
    return bool(whole)


def flush(loose, out):
    """Declarations that follow each other under one comment."""
    if loose:
        heading(out, 2, [name_of(item) for item in loose])
        entry(loose, out)
        loose.clear()


def heading(out, depth, names):
    names = [f"`{name}`" for name in dict.fromkeys(names)]
    text = "#" * depth + " " + (", ".join(names) if len(names) < 4 else f"{names[0]} to {names[-1]}")
    if text != next((line for line in reversed(out) if line.startswith("#")), ""):  # else another overload
        out += [text, ""]


def name_of(item):
    if item.tail:
        return item.tail
    if re.fullmatch(r"enum", item.head):
        return ", ".join(value.head.split()[0] for value in split(item.body, ","))
    head = re.sub(r"^(template\s*<.*?>\s*(?=\w))", "", item.head, flags=re.S)
    for pattern in (r"\(\*(\w+)\)", r"#define (\w+)", r"(?:class|struct|union|enum class|enum)\s+(?:\[\[\w+\]\]\s*)?([\w:]+(?:<\w+>)?)", r"using (\w+)",
                    r"concept (\w+)", r"(operator\S+)\s*\(", r"([~\w]+)\s*\(", r"(\w+)\s*(?:\[\w*\])?\s*(?:[={].*)?$"):
        if found := re.search(pattern, head, re.S):
            return found[1]
    return head


def code_of(item):
    head = re.sub(r"^inline ", "", item.head)
    if "(" not in head:
        head = " ".join(head.split())
    if item.body is not None and not opens_type(head):
        head = re.sub(r"\)(\s*(?:noexcept|const)*)\s*:[^:].*$", r")\1", head, flags=re.S) if not re.search(r"\bconcept\b", head) else head + f" {{{item.body}}}"
    first, *more = head.split("\n")
    more = textwrap.dedent("\n".join(more)).split("\n") if more else []
    text = "\n".join([first, *(line if first.startswith("template") else "    " + line for line in more)]).rstrip()
    if not text.startswith("#"):
        text += (" " + item.tail if item.tail else "") + ";"
    return text


def entry(items, out):
    """The comment of the first, then the code of all of them; what stands behind a declaration stays there."""
    out += prose(items[0].comment)
    lines = []
    for item in items:
        note = " ".join(item.trailing.split())
        if opens_type(item.head) and item.body is not None:
            lines += [f"{item.head} {{", *textwrap.indent(textwrap.dedent(item.body.strip("\n")).rstrip(), "  ").split("\n"), f"}}{' ' + item.tail if item.tail else ''};"]
        else:
            lines.append(code_of(item) + (f"  // {note}" if note else ""))
    out += ["```cpp", *lines, "```", ""]


def write_type(item, out, depth):
    name = name_of(item)
    heading(out, depth, [name])
    out += prose(item.comment)
    if item.body is None:
        out += ["```cpp", item.head + ";", "```", ""]
    elif re.search(r"\benum\b", item.head):
        write_enum(item, out)
    else:
        write_members(item, out, depth)
    if item.trailing:
        out += prose(item.trailing)


def write_enum(item, out):
    values = split(item.body, ",")
    if not any(value.comment or value.trailing for value in values):
        out += ["```cpp", *textwrap.dedent(item.body).strip("\n").rstrip().split("\n"), "```", ""]
        return
    out += ["| value | meaning |", "|---|---|"]
    for value in values:
        meaning = " ".join((value.comment + " " + value.trailing).split())
        out.append(f"| `{' '.join(value.head.split())}` | {cell(meaning)} |")
    out.append("")


def write_members(item, out, depth):
    """Public members; those without a comment of their own stand together."""
    is_table = name_of(item) == "onnxrun_api"
    shown = not re.search(r"\bclass\b", re.sub(r"template\s*<.*?>", "", item.head))
    members, loose = split(item.body), []
    if not any(m.comment for m in members) and not re.search(r"[)\w]\s*\{", item.body) and not is_table:
        if any(m.trailing for m in members):
            out += ["| member | meaning |", "|---|---|"]
            out += [f"| `{' '.join(m.head.split())}` | {cell(' '.join(m.trailing.split()))} |" for m in members]
            out.append("")
        else:
            out += ["```cpp", *textwrap.dedent(item.body).strip("\n").rstrip().split("\n"), "```", ""]
        return

    def flush_members():
        if loose:
            if is_table:
                heading(out, depth + 1, [name_of(m) for m in loose])
            entry(loose, out)
            loose.clear()

    for member in members:
        if re.match(r"(public|private|protected):$", member.head):
            flush_members()
            shown = member.head == "public:"
        elif not shown or re.match(r"friend\b", member.head):
            continue
        elif group := re.match(r"--- (.+?) ---\s*", member.comment):
            flush_members()
            out += [f"{'#' * depth} {group[1][0].upper()}{group[1][1:]}", ""]
            out += prose(member.comment[group.end():])
            member.comment = ""
            if member.head:
                loose.append(member)
        elif not member.head:
            flush_members()
            out += prose(member.comment)
        elif opens_type(member.head) and member.body is not None and not member.tail:
            flush_members()
            write_type(member, out, depth + 1)
        else:
            if member.comment or (loose and loose[0].comment and name_of(member) != name_of(loose[0])):
                flush_members()
            loose.append(member)
    flush_members()


def escape(text):
    """Prose as Markdown: what is not code means nothing."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        raise ValueError(f"an odd number of ` in: {text}")
    return "`".join(part if i % 2 else plain(part) for i, part in enumerate(parts))


def plain(text):
    """Names with underscores are set as code."""
    pieces = re.split(r"(\w*[A-Za-z0-9]_\w*(?:\.hp?p?)?(?:\(\))?)", text)
    return "".join(f"`{piece}`" if i % 2 else re.sub(r"([\\*_\[\]#])", r"\\\1", piece).replace("&", "&amp;").replace("<", "&lt;") for i, piece in enumerate(pieces))


def cell(text):
    return escape(text).replace("|", "\\|") or " "


def prose(comment):
    """A comment: paragraphs, and what is indented in it as code or, where it is set in columns, as a table."""
    out, lines = [], comment.split("\n") if comment else []
    while lines:
        indented = [line.startswith("  ") for line in lines]
        count = indented.index(not indented[0]) if (not indented[0]) in indented else len(lines)
        block, lines = lines[:count], lines[count:]
        if not indented[0]:
            out += [escape(part) for part in re.split(r"\n\s*\n", "\n".join(block).strip("\n")) if part for part in (part, "")]
        elif re.search(r"(;|\}|//.*)$", block[0]) and not re.match(r"[\w., ]*\w {2,}\S", block[0].strip()):
            out += ["```cpp", *textwrap.dedent("\n".join(block)).strip("\n").split("\n"), "```", ""]
        else:
            out += table(block)
    return [line for part in out for line in part.split("\n")] if out else []


def table(block):
    rows, starts = [], [0, 0]
    for line in block:
        indent = len(line) - len(line.lstrip())
        cells = re.split(r" {2,}", line.strip())
        if len(cells) == 1 and indent == starts[-2] and line[starts[-1] - 1:starts[-1]] == " ":  # a name that fills its column
            cells = [line[indent:starts[-1] - 1], line[starts[-1]:]]
        elif len(cells) > 1:
            starts = [found.start() for found in re.finditer(r"(?<=  )\S|^\S", line)]
        if len(cells) > 1 or not rows:
            rows.append(cells)
        else:
            ends = rows[-1][-1][-1] not in ".;:," and cells[0][0].isupper()
            rows[-1][-1] += (". " if ends else " ") + cells[0]
    width = max(map(len, rows))
    lines = ["| " + " | ".join([" "] * width) + " |", "|" + "---|" * width]
    for row in rows:
        row = [""] * (width - len(row)) + row
        lines.append("| " + " | ".join([cell(text) if i == width - 1 or not text else code_cell(text) for i, text in enumerate(row)]) + " |")
    return lines + [""]


def code_cell(text):
    return f"`{text}`" if re.fullmatch(r"[\w.]+", text) and text == text.lower() else cell(text)
