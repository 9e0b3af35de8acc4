"""The code blocks of a page of the documentation, with what a comment above them says about how they are tested.

    <!-- not run: REASON -->     left out, for a reason that NOT_RUN knows
    <!-- exit N -->              the commands end with this code
    <!-- file PATH -->           the block is written to PATH, where commands that follow find it
    <!-- from PATH -->           the block is cut out of that file of the repository; `...` stands for what is left out

A `text` block behind commands is all that they print; `...` in it stands for anything.
"""

import dataclasses
import re

NOT_RUN = {
    "needs a GPU": "a GPU, or nvcc to compile for one",
    "takes minutes": "what ./dev test runs itself, or builds everything anew",
    "installs packages": "changes the system or the user's Python",
    "needs the network": "downloads models",
    "needs packages of yours": "a module, a model or data of the reader's",
}
FENCE = re.compile(r"^```([\w+-]*)\n(.*?)^```$", re.M | re.S)
MARK = re.compile(r"<!-- (not run|exit|file|from):? ([^\n]*?) -->\n\Z")


@dataclasses.dataclass
class Block:
    place: str
    language: str
    code: str
    mark: str = ""
    argument: str = ""
    shows: str | None = None

    def left_out(self):
        """The reason why this block is not run, or none; one that is not known is an error."""
        if self.mark != "not run":
            return None
        assert self.argument in NOT_RUN, f"{self.place}: '{self.argument}' is no reason for leaving a block out; there are: {', '.join(NOT_RUN)}"
        return self.argument


def blocks(path):
    """The blocks of a page, those of text joined to the commands that print them."""
    text = path.read_text(encoding="utf-8")
    found, end = [], 0
    for fence in FENCE.finditer(text):
        place = f"{path.name}:{text.count(chr(10), 0, fence.start()) + 1}"
        mark = MARK.search(text, 0, fence.start())
        between = text[end:fence.start()].strip()
        end = fence.end()
        if fence[1] == "text" and not mark and found and not between:
            found[-1].shows = fence[2]
        else:
            found.append(Block(place, fence[1], fence[2], *(mark.groups() if mark else ())))
    rest = FENCE.sub("", text)
    assert "```" not in rest, f"{path.name}: a block that does not end"
    indented = re.search(r"\n\n( {4,}|\t)(?![-*\d])[^\n]+", rest)
    assert not indented, f"{path.name}: code that is indented instead of fenced is not tested: {indented[0].strip()}"
    return found


def agrees(expected, found):
    """Whether a text is the expected one, in which `...` stands for anything."""
    def plain(text):
        return "\n".join(line.rstrip() for line in text.strip().split("\n"))
    pattern = ".*?".join(re.escape(part) for part in plain(expected).split("..."))
    return re.fullmatch(pattern, plain(found), re.S) is not None


def is_part_of(code, text):
    """Whether the pieces of a block stand in a text in this order, whatever their indentation."""
    def plain(lines):
        return "\n".join(line.strip() for line in lines.strip().split("\n")) + "\n"
    whole, at = "\n" + plain(text), 0
    for piece in re.split(r"^\s*\.\.\.\s*$", code, flags=re.M):
        if piece.strip():
            at = whole.find("\n" + plain(piece), at)
            if at < 0:
                return False
    return True
