# SPDX-License-Identifier: Apache-2.0
"""Just enough of C++'s surface for tools/check_tree.py: comments, strings and braces."""
import re

TOKEN = re.compile(
    r"""(?P<line>//[^\n]*)|(?P<block>/\*.*?\*/)"""
    r"""|(?P<raw>R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)")"""
    r"""|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<number>\d[\w']*)|(?P<char>'(?:\\.|[^'\\\n])+')""",
    re.DOTALL | re.VERBOSE)


def _keep_lines(text):
    return "\n" * text.count("\n")


def blank_comments_and_strings(text):
    """The code alone; line numbers stay as they are."""
    def replace(match):
        if match.lastgroup == "number":
            return match.group()
        empty = '""' if match.group("string") or match.group("raw") else ""
        return empty + _keep_lines(match.group())
    return TOKEN.sub(replace, text)


def comments(text):
    """The comments alone; line numbers stay as they are."""
    out, position = [], 0
    for match in TOKEN.finditer(text):
        out.append(_keep_lines(text[position:match.start()]))
        is_comment = match.group("line") or match.group("block")
        out.append(match.group() if is_comment else _keep_lines(match.group()))
        position = match.end()
    return "".join(out)


def _kind(head):
    """What the text before a '{' opens: 'scope' (namespace, type), 'function' or 'other'."""
    head = re.sub(r"^\s*#.*$", "", head, flags=re.MULTILINE)
    head = re.sub(r"\btemplate\s*<[^{]*?>\s*(?=[\w:])", "", head)
    if re.search(r'\bnamespace\b|\bextern\s*""', head):
        return "scope"
    before_parameters = head.split("(", 1)[0]
    if re.search(r"\b(class|struct|union|enum)\b", before_parameters):
        return "scope"
    if re.search(r"\)", head) and not re.search(r"=\s*$", head):
        return "scope" if re.search(r"\b(class|struct)\b[^()]*(CAPABILITY|alignas)", head) else "function"
    return "other"


def functions(text):
    """(first line, length in lines, title) of each function at namespace or class level."""
    code = blank_comments_and_strings(text)
    stack, head_start = [], 0
    for match in re.finditer(r"[{};]", code):
        position, symbol = match.start(), match.group()
        inside = bool(stack) and stack[-1][0] != "scope"
        if symbol == "{":
            head = code[head_start:position]
            kind = "other" if inside else _kind(head)
            first = head_start + len(head) - len(head.lstrip())
            stack.append((kind, first, head.strip()))
        elif symbol == "}" and stack:
            kind, first, head = stack.pop()
            if kind == "function":
                line = code.count("\n", 0, first) + 1
                length = code.count("\n", first, position) + 1
                yield line, length, " ".join(head.split())[:80]
        if not inside or symbol != ";":
            head_start = match.end()
