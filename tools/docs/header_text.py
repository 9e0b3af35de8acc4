"""Splits a C or C++ header into comments and declarations, without knowing more of the language than brackets, strings and comments."""

import dataclasses
import re


@dataclasses.dataclass
class Item:
    """A declaration with the comment before it and that behind it; without a declaration a comment that stands alone."""

    comment: str = ""
    head: str = ""  # the declaration as far as its body
    body: str | None = None  # what stands between its braces
    tail: str = ""  # what stands behind them, as the name of a typedef
    trailing: str = ""
    after_blank: bool = False


def comment_text(raw):
    """The lines of a comment without its marks, with their indentation below the least one."""
    if raw.startswith("/*"):
        lines = [re.sub(r"^\s*\* ?", "", line) if i else line for i, line in enumerate(raw[2:-2].strip().split("\n"))]
    else:
        lines = [re.sub(r"^\s*// ?", "", line) for line in raw.split("\n")]
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def end_of_brackets(text, start):
    """The index behind the bracket that closes the one at `start`."""
    depth, i = 0, start
    while i < len(text):
        skipped = skip_atom(text, i)
        if skipped != i:
            i = skipped
            continue
        if text[i] in "({[":
            depth += 1
        elif text[i] in ")}]":
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    raise ValueError(f"no end to: {text[start:start + 60]}")


def skip_atom(text, i):
    """The index behind a string, a character or a comment that begins at `i`, else `i`."""
    if text.startswith("//", i):
        end = text.find("\n", i)
        return len(text) if end < 0 else end
    if text.startswith("/*", i):
        return text.index("*/", i) + 2
    if text[i] in "\"'" and not (text[i] == "'" and i and text[i - 1].isalnum()):
        end = i + 1
        while text[end] != text[i]:
            end += 2 if text[end] == "\\" else 1
        return end + 1
    return i


def split(text, ends=";"):
    """The items of a file, or of the body of a class; those of an enum end with commas."""
    items, i, pending, blank = [], 0, "", False

    def flush():
        nonlocal pending
        if pending:
            items.append(Item(comment=pending))
            pending = ""

    while i < len(text):
        if text[i].isspace():
            space = re.compile(r"\s+").match(text, i)
            if space[0].count("\n") > 1:
                flush()
                blank = True
            i = space.end()
        elif text.startswith(("//", "/*"), i):
            flush()
            found = re.compile(r"//[^\n]*(\n[ \t]*//[^\n]*)*" if text[i + 1] == "/" else r"/\*.*?\*/", re.S).match(text, i)
            pending, i = comment_text(found[0]), found.end()
        elif text[i] == "#":
            found = re.compile(r"#(?:[^\n]*\\\n)*[^\n]*").match(text, i)
            i = found.end()
            head, _, trailing = found[0].partition("/*")
            if re.match(r"#define \w+(\(| )\S", head):
                items.append(Item(pending, head.split("\\\n")[0].strip(), trailing=comment_text("/*" + trailing) if trailing else "", after_blank=blank))
            elif pending:
                items.append(Item(comment=pending))
            pending, blank = "", False
        elif access := re.compile(r"(public|private|protected):").match(text, i):
            flush()
            items.append(Item(head=access[0]))
            i = access.end()
        else:
            item, i = declaration(text, i, ends)
            item.comment, item.after_blank, pending, blank = pending, blank, "", False
            items.append(item)
    flush()
    return items


def declaration(text, start, ends):
    item, i, body = Item(), start, None
    initializers = False  # between the parameters of a constructor and its body
    while i < len(text) and text[i] not in ends:
        skipped = skip_atom(text, i)
        if skipped != i:
            i = skipped
        elif text[i] == "{" and (initializers or "(" not in text[start:i]) and re.search(r"[\w>]$", text[start:i]) and not opens_scope(text[start:i]):
            i = end_of_brackets(text, i)  # a value
        elif text[i] == "{" and body is None and not re.search(r"=\s*$", text[start:i]):
            end = end_of_brackets(text, i)
            item.head, body = text[start:i].strip(), text[i + 1:end - 1]
            i = end
            if not opens_type(item.head):
                break
        elif text[i] in "({[":
            i = end_of_brackets(text, i)
            initializers = initializers or bool(re.compile(r"\s*(noexcept\s*)?:[^:]").match(text, i))
        else:
            i += 1
    if body is None:
        item.head = text[start:i].strip()
    else:
        item.body, item.tail = body, text[start + text[start:i].rfind("}") + 1:i].strip()
    i += i < len(text) and text[i] in ends
    trailing = re.compile(r"[ \t]*(//[^\n]*|/\*.*?\*/)", re.S).match(text, i)
    if trailing:
        item.trailing, i = comment_text(trailing[1]), trailing.end()
    inner = re.search(r"/\*.*?\*/\s*$", item.head, re.S)  # behind the last enumerator
    if inner:
        item.trailing, item.head = comment_text(inner[0].strip()), item.head[:inner.start()].strip()
    return item, i


def opens_type(head):
    return bool(re.match(r"(template\s*<[^{]*>\s*)?(typedef\s+)?(class|struct|union|enum)\b", head)) and "(" not in re.sub(r"__attribute__\(\(.*?\)\)", "", head)


def opens_scope(head):
    return opens_type(head) or bool(re.match(r'(inline\s+)?namespace\b|extern "C"', head))
