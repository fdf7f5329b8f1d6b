"""Compiles the C++ blocks of a Markdown document, so that no reader copies what does not compile.

usage: document_snippets.py DOCUMENT FOLDER -- COMPILER [ARGUMENT ...]

How a block is read:

* A block that contains `int main`, or whose first line is `// file: NAME.cpp`, is a program of its own.
* A block whose fence says ```cpp body is the inside of a coroutine that has `wh::web_application& app`,
  `wh::http_context& context` and `wh::websocket& socket`.
* Any other block stands at namespace scope.

The last two kinds become one file for the whole document, in the order of reading: a block sees what the blocks before it
declare and may declare the same again. Their #include lines go to the top. #line directives make a diagnostic point at the
line of the document.
"""

import argparse
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

PREAMBLE = """#include <windhover/windhover.hpp>

namespace wh = windhover;
using namespace std::chrono_literals;
"""

BODY = "[[maybe_unused]] wh::task<> snippet([[maybe_unused]] wh::web_application& app, " \
       "[[maybe_unused]] wh::http_context& context, [[maybe_unused]] wh::websocket& socket)"

# A document may show a variable that nobody uses yet. Everything else that a compiler dislikes is wrong in a document too.
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-variable", "-Wno-unused-but-set-variable",
            "-Wno-unused-function", "-Wno-unused-parameter",
            # Under the name that #line gives it, g++ takes the file for a header, where a lambda in a coroutine's frame would
            # be dangerous. clang does not know this warning.
            "-Wno-subobject-linkage", "-Wno-unknown-warning-option"]


@dataclass
class Block:
    text: str
    line: int  # of its first line of code in the document, from 1
    is_body: bool

    @property
    def is_program(self):
        return self.text.startswith("// file: ") or re.search(r"\bint main\b", self.text) is not None


def blocks_of(document):
    """The C++ blocks of a Markdown text."""
    blocks, fence, info, lines, first = [], None, "", [], 0
    for number, line in enumerate(document.splitlines(), start=1):
        if fence is None:
            opening = re.match(r"\s*(`{3,}|~{3,})\s*(.*?)\s*$", line)
            if opening:
                fence, info, lines, first = opening[1], opening[2].split(), [], number + 1
        elif line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            if info[:1] == ["cpp"]:
                blocks.append(Block("".join(text + "\n" for text in lines), first, "body" in info))
            fence = None
        else:
            lines.append(line)
    return blocks


def split_includes(text):
    """The #include lines of a block, and the block with empty lines in their place and in place of what PREAMBLE says."""
    includes, rest = [], []
    for line in text.splitlines():
        said_already = line.strip() in PREAMBLE.splitlines()
        if line.startswith("#include"):
            includes.append(line)
        rest.append("" if said_already or line.startswith("#include") else line)
    return includes, "".join(line + "\n" for line in rest)


def joined(blocks, name):
    """One source file for the blocks that are no programs: each block's namespace stands inside that of the block before."""
    includes, code = [], ""
    for index, block in enumerate(blocks, start=1):
        block_includes, text = split_includes(block.text)
        includes += [line for line in block_includes if line not in includes]
        code += f"namespace snippet_{index} {{\n"
        if block.is_body:
            code += f"{BODY} {{\n#line {block.line} \"{name}\"\n{text}\nco_return;\n}}\n"
        else:
            code += f"#line {block.line} \"{name}\"\n{text}"
    return "\n".join(includes) + "\n" + PREAMBLE + code + "}\n" * len(blocks)


def sources_of(document, name):
    """The source files that a document becomes."""
    blocks = blocks_of(document)
    sources = [f"#line {block.line} \"{name}\"\n{block.text}" for block in blocks if block.is_program]
    fragments = [block for block in blocks if not block.is_program]
    if fragments:
        sources.append(joined(fragments, name))
    return sources


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("document", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("compiler", nargs="+")
    arguments = parser.parse_args()

    name = arguments.document.as_posix()
    sources = sources_of(arguments.document.read_text(encoding="utf-8"), name)
    if not sources:
        sys.exit(f"{name} has no block of C++.")

    failed = 0
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for index, source in enumerate(sources, start=1):
        file = arguments.folder / f"{name.replace('/', '_')}_{index}.cpp"
        file.write_text(source, encoding="utf-8")
        failed += subprocess.run([*arguments.compiler, *WARNINGS, str(file)], check=False).returncode != 0
    if failed:
        sys.exit(f"{name}: {failed} of {len(sources)} files made of its blocks do not compile.")


if __name__ == "__main__":
    main()
