#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the description of an AWS service into C++ at build time.

  generate_api.py service OPERATIONS.json --errors TSV... --out DIR
      writes DIR/<service>_api.h (one struct per shape) and DIR/<service>_codec.{h,cc}
      (decoders, encoders, the table of operations)
  generate_api.py errors API_ERROR.h TSV... --out DIR
      writes DIR/error_table.cc, and fails unless every enumerator of ApiErrorCode has one row

The form of operations.json is described in src/control/api/README.md.
"""
import argparse
import collections
import json
import pathlib
import re
import sys

SCALARS = {
    "string": "std::string",
    "integer": "int32_t",
    "long": "int64_t",
    "double": "double",
    "boolean": "bool",
    "timestamp": "UnixMillis",
}
FLAGS = {"required", "omit-empty", "newer"}
KEYWORDS = {"default", "register", "return", "protected", "private", "public", "static", "delete",
            "new", "operator", "template", "namespace", "enum", "export", "switch"}

Member = collections.namedtuple("Member", "name field wire query type item enum flags")


def fail(message):
    sys.exit(f"generate_api.py: {message}")


def snake_case(name):
    """CacheNodeIds -> cache_node_ids, MultiAZ -> multi_az, CacheClusterAZs -> cache_cluster_azs."""
    words = re.findall(r"[A-Z]{2,}s(?![a-z])|[A-Z]{2,}\d*(?=[A-Z][a-z])|[A-Z]+\d*(?![a-z])|[A-Z][a-z]*\d*|[a-z]+\d*",
                       name)
    field = "_".join(words).lower()
    return field + "_" if field in KEYWORDS else field


def capital(text):
    return text[0].upper() + text[1:]


def parse_member(name, text, protocol, where):
    """'wire/Query: [string as Item] required' -> Member."""
    match = re.fullmatch(r"(?:(?P<wire>\w+)(?:/(?P<query>\w+))?: )?"
                         r"(?:\[(?:enum\((?P<choices>[^)]*)\)|(?P<element>\w+))(?: as (?P<item>\w+))?\]|enum\((?P<enum>[^)]*)\)|(?P<type>\w+))"
                         r"(?P<flags>(?: [a-z-]+)*)", text)
    if not match:
        fail(f"{where}.{name}: cannot read '{text}'")
    flags = set(match["flags"].split())
    if flags - FLAGS:
        fail(f"{where}.{name}: unknown word {flags - FLAGS}")
    ec2 = protocol == "ec2"
    wire = match["wire"] or (name[0].lower() + name[1:] if ec2 else name)
    query = match["query"] or (capital(wire) if ec2 else wire)
    element = "string" if match["choices"] else match["element"]
    item = (match["item"] or ("item" if ec2 else "member")) if element else None
    choices = match["enum"] or match["choices"]
    enum = choices.split("|") if choices else None
    kind = element or ("string" if enum else match["type"])
    return Member(name, snake_case(name), wire, query, kind, item, enum, flags)


class Service:
    def __init__(self, path):
        data = json.loads(pathlib.Path(path).read_text())
        self.name, self.protocol = data["service"], data["protocol"]
        self.version, self.namespace = data["version"], data["namespace"]
        self.shapes = {shape: self.members(shape, members)
                       for shape, members in data["shapes"].items()}
        self.operations = data["operations"]
        self.requests, self.results = {}, {}
        for name, operation in self.operations.items():
            requests = self.members(name, operation.get("input", {}))
            results = self.members(name, operation.get("output", {}))
            if operation["implemented"]:
                self.requests[name], self.results[name] = requests, results
        self.input_shapes = self.reachable(self.requests)
        self.output_shapes = self.reachable(self.results)

    def members(self, where, members):
        parsed = [parse_member(name, text, self.protocol, where) for name, text in members.items()]
        for key in ("field", "wire"):
            values = [getattr(member, key) for member in parsed]
            if len(values) != len(set(values)):
                fail(f"{where}: two members with the same {key}")
        return parsed

    def required_of(self, name):
        """What an operation without structs asks for before it is refused."""
        operation = self.operations[name]
        if operation["implemented"]:
            return []
        described = self.members(name, operation.get("input", {}))
        return operation.get("required", [each.query for each in described if "required" in each.flags])

    def reachable(self, operations):
        """The shapes that these members need, a shape after those it contains."""
        order = []

        def visit(shape, path):
            if shape in SCALARS or shape in order:
                return
            if shape not in self.shapes:
                fail(f"unknown type {shape}")
            if shape in path:
                fail(f"shape {shape} contains itself")
            for member in self.shapes[shape]:
                visit(member.type, path + [shape])
            order.append(shape)

        for members in operations.values():
            for member in members:
                visit(member.type, [])
        return order


def cpp_type(member, is_input):
    base = SCALARS.get(member.type, member.type)
    if member.item:
        return f"std::vector<{base}>"
    return base if is_input and "required" in member.flags else f"std::optional<{base}>"


def struct_lines(members, is_input):
    lines = []
    for member in members:
        kind = cpp_type(member, is_input)
        plain = is_input and not member.item and "required" in member.flags and member.type in SCALARS
        start = {"string": "", "boolean": " = false"}.get(member.type, " = 0") if plain else ""
        note = "  // required" if is_input and "required" in member.flags else ""
        lines.append(f"  {kind} {member.field}{start};{note}")
    return lines


def read_line(member):
    required = "required" in member.flags
    verb = ("Require" if required else "")
    name, target = f'"{member.query}"', f"out.{member.field}"
    allowed = ", ".join(f'"{value}"' for value in member.enum or ())
    if member.item and member.enum:
        return f'  in.EnumList({name}, "{member.item}", {target}, {{{allowed}}});'
    if member.item:
        return f'  in.{verb}List({name}, "{member.item}", {target});'
    if member.enum:
        return f"  in.{verb}Enum({name}, {target}, {{{allowed}}});"
    if member.type == "timestamp":
        return f"  in.{verb}Timestamp({name}, {target});"
    return f"  in.{verb}{'Value' if member.type in SCALARS else 'Struct'}({name}, {target});"


def write_line(member, also_input):
    name, source = f'"{member.wire}"', f"value.{member.field}"
    if member.item:
        verb = "ListUnlessEmpty" if "omit-empty" in member.flags else "List"
        return f'  out.{verb}({name}, "{member.item}", {source});'
    if also_input and "required" in member.flags:
        source = f"std::optional({source})"
    verb = "Timestamp" if member.type == "timestamp" else "Value" if member.type in SCALARS else "Struct"
    return f"  out.{verb}({name}, {source});"


HEADER = "// SPDX-License-Identifier: Apache-2.0\n// Made by tools/generate_api.py from {source}; not to be edited.\n"


def api_header(service):
    lines = [HEADER.format(source=f"control/api/{service.name}/operations.json") + "#pragma once\n",
             "#include <cstdint>\n#include <optional>\n#include <string>\n#include <string_view>\n#include <vector>\n",
             '#include "base/clock.h"\n', f"namespace mikura::control::{service.name} {{\n"]
    for shape in service.input_shapes + [s for s in service.output_shapes if s not in service.input_shapes]:
        lines.append(f"struct {shape} {{")
        lines += struct_lines(service.shapes[shape], shape in service.input_shapes)
        lines.append("};\n")
    for name in service.requests:
        lines.append(f"struct {name}Result {{")
        lines += struct_lines(service.results[name], False)
        lines += ["};\n", f"struct {name}Request {{", f"  using Result = {name}Result;",
                  f'  static constexpr std::string_view kOperation = "{name}";']
        lines += struct_lines(service.requests[name], True)
        lines.append("};\n")
    lines.append(f"}}  // namespace mikura::control::{service.name}")
    return "\n".join(lines) + "\n"


def codec_header(service):
    lines = [HEADER.format(source=f"control/api/{service.name}/operations.json") + "#pragma once\n",
             '#include "control/api/codec/parameter_reader.h"\n#include "control/api/codec/xml_writer.h"',
             f'#include "control/api/service.h"\n#include "control/api/{service.name}/{service.name}_api.h"\n',
             f"namespace mikura::control::{service.name} {{\n"]
    lines += [f"void ReadParameters(ParameterReader& in, {shape}& out);" for shape in service.input_shapes]
    lines += [f"void ReadParameters(ParameterReader& in, {name}Request& out);" for name in service.requests]
    lines += [f"void WriteXml(XmlWriter& out, const {shape}& value);" for shape in service.output_shapes]
    lines += [f"void WriteXml(XmlWriter& out, const {name}Result& value);" for name in service.requests]
    lines.append("")
    for name in service.operations:
        if names := ", ".join(json.dumps(each) for each in service.required_of(name)):
            lines.append(f"inline constexpr std::string_view kRequiredOf{name}[] = {{{names}}};")
    lines.append("inline constexpr OperationDescription kOperations[] = {")
    for name, operation in service.operations.items():
        described = "true" if operation["implemented"] else "false"
        code, _, words = operation.get("refused", "").partition(": ")
        refusal = f', ApiErrorCode::k{code}, {json.dumps(words)}' if code else ""
        if service.required_of(name):
            refusal = (refusal or ", std::nullopt, {}") + f", kRequiredOf{name}"
        lines.append(f'    {{"{name}", {described}, "{operation.get("result", "")}"{refusal}}},')
    protocol = {"query": "Protocol::kQuery", "ec2": "Protocol::kEc2"}[service.protocol]
    lines += ["};\n", "inline constexpr ServiceDescription kDescription = {",
              f'    "{service.name}", {protocol}, "{service.version}",',
              f'    "{service.namespace}", kOperations}};\n',
              f"}}  // namespace mikura::control::{service.name}"]
    return "\n".join(lines) + "\n"


def codec_source(service):
    lines = [HEADER.format(source=f"control/api/{service.name}/operations.json")
             + f'#include "control/api/{service.name}/{service.name}_codec.h"\n',
             f"namespace mikura::control::{service.name} {{\n"]

    def function(signature, body):
        unused = signature if body else re.sub(r"(in|out|value)(?=[,)])", "", signature)
        lines.extend([unused + " {"] + body + ["}\n"])

    for shape in service.input_shapes:
        function(f"void ReadParameters(ParameterReader& in, {shape}& out)", [read_line(m) for m in service.shapes[shape]])
    for name, members in service.requests.items():
        function(f"void ReadParameters(ParameterReader& in, {name}Request& out)", [read_line(m) for m in members])
    for shape in service.output_shapes:
        both = shape in service.input_shapes
        function(f"void WriteXml(XmlWriter& out, const {shape}& value)",
                 [write_line(m, both) for m in service.shapes[shape]])
    for name, members in service.results.items():
        function(f"void WriteXml(XmlWriter& out, const {name}Result& value)", [write_line(m, False) for m in members])
    lines.append(f"}}  // namespace mikura::control::{service.name}")
    return "\n".join(lines) + "\n"


def read_rows(paths):
    rows = []
    for path in paths:
        for line in pathlib.Path(path).read_text().splitlines():
            if line and not line.startswith("#"):
                fields = line.split("\t")
                if len(fields) != 4 or not fields[2].isdigit() or not fields[3]:
                    fail(f"{path}: not a row of four fields: {line}")
                rows.append(fields)
    return rows


def error_table(enum_path, rows):
    text = pathlib.Path(enum_path).read_text()
    body = re.search(r"enum class ApiErrorCode \{(.*?)\};", text, re.S)[1]
    enumerators = re.findall(r"^\s*(k\w+),", body, re.M)
    count = collections.Counter(row[0] for row in rows)
    wrong = [name for name in enumerators if count[name] != 1] + [name for name in count if name not in enumerators]
    if wrong:
        fail(f"not exactly one row and one enumerator each: {', '.join(sorted(wrong))}")
    by_name = {row[0]: row for row in rows}
    lines = [HEADER.format(source="api_error.h and the errors.tsv files") + '#include "control/api/error_table.h"\n',
             "namespace mikura::control {\nnamespace {\n",
             "// In the order of the enumerators.", "constexpr ErrorRow kRows[] = {"]
    for name in enumerators:
        _, code, status, words = by_name[name]
        lines.append(f"    {{{json.dumps(code)}, {status}, {json.dumps(words)}}},  // {name}")
    lines += ["};\n", "}  // namespace\n",
              "const ErrorRow& RowOf(ApiErrorCode code) { return kRows[static_cast<size_t>(code)]; }\n",
              "std::span<const ErrorRow> AllErrorRows() { return kRows; }\n", "}  // namespace mikura::control"]
    return "\n".join(lines) + "\n"


def write_if_changed(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)
    mode = modes.add_parser("service")
    mode.add_argument("operations")
    mode.add_argument("--errors", nargs="+", required=True)
    mode.add_argument("--out", required=True, type=pathlib.Path)
    mode = modes.add_parser("errors")
    mode.add_argument("enum")
    mode.add_argument("tables", nargs="+")
    mode.add_argument("--out", required=True, type=pathlib.Path)
    args = parser.parse_args()
    if args.mode == "errors":
        write_if_changed(args.out / "error_table.cc", error_table(args.enum, read_rows(args.tables)))
        return
    service = Service(args.operations)
    known = {row[1] for row in read_rows(args.errors)}
    for name, operation in service.operations.items():
        unknown = set(operation.get("errors", [])) - known
        if unknown:
            fail(f"{name}: errors without a row: {unknown}")
    write_if_changed(args.out / f"{service.name}_api.h", api_header(service))
    write_if_changed(args.out / f"{service.name}_codec.h", codec_header(service))
    write_if_changed(args.out / f"{service.name}_codec.cc", codec_source(service))


if __name__ == "__main__":
    main()
