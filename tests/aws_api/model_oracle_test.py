#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds our service descriptions against the AWS model that Debian's python3-botocore installs.

Compared, for each described operation: parameters with their list spellings and types, required
ones, enums, elements of the answer with their list names, result element, error codes; for each
service: protocol, version, namespace, all names of operations; for each error: code and status.
Members marked "newer" are expected to be absent in Debian's model, and only those.
"""
import gzip
import json
import os
import pathlib
import sys
import unittest

import botocore

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import generate_api  # noqa: E402

API = ROOT / "src/control/api"
VERSIONS = {"elasticache": "2015-02-02", "ec2": "2016-11-15", "sts": "2011-06-15"}
# In the newest model, not in Debian's.
NEWER_OPERATIONS = {
    "TestMigration", "CreateServerlessCache", "ModifyServerlessCache", "DeleteServerlessCache",
    "DescribeServerlessCaches", "CreateServerlessCacheSnapshot", "CopyServerlessCacheSnapshot",
    "DeleteServerlessCacheSnapshot", "DescribeServerlessCacheSnapshots",
    "ExportServerlessCacheSnapshot"}
ENUM_VALUES_MAX = 12  # longer enums are plain strings to us
SCALARS = {"float": "double"}


def load_model(service):
    path = os.path.join(os.path.dirname(botocore.__file__), "data", service, VERSIONS[service], "service-2.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    with gzip.open(path + ".gz", "rt", encoding="utf-8") as file:
        return json.load(file)


class AwsService:
    """Flattens the shapes of the AWS model to {path: (type, enum)} and a set of required paths."""

    def __init__(self, service):
        self.model = load_model(service)
        self.shapes = self.model["shapes"]
        self.ec2 = self.model["metadata"]["protocol"] == "ec2"

    def query_name(self, name, member):
        if not self.ec2:
            return member.get("locationName", name)
        location = member.get("locationName")
        return member.get("queryName") or (location[0].upper() + location[1:] if location else name)

    def flatten(self, shape_name, is_input, path="", seen=()):
        shape = self.shapes[shape_name]
        paths, required = {}, set()
        if shape["type"] == "structure":
            for name, member in shape["members"].items():
                if member["shape"] in seen:
                    continue
                wire = self.query_name(name, member) if is_input else member.get("locationName", name)
                child = f"{path}.{wire}" if path else wire
                if is_input and name in shape.get("required", []):
                    required.add(child)
                below = self.flatten(member["shape"], is_input, child, seen + (member["shape"],))
                paths.update(below[0])
                required |= below[1]
        elif shape["type"] == "list":
            member = shape["member"]
            default = "item" if self.ec2 else "member"
            flat = shape.get("flattened") or (self.ec2 and is_input)
            item = "" if flat else "." + member.get("locationName", default)
            return self.flatten(member["shape"], is_input, f"{path}{item}.N", seen + (member["shape"],))
        else:
            enum = shape.get("enum", []) if is_input else []
            kind = SCALARS.get(shape["type"], shape["type"])
            paths[path] = (kind, tuple(enum) if len(enum) <= ENUM_VALUES_MAX else ())
        return paths, required


class OurService:
    def __init__(self, service):
        self.service = generate_api.Service(API / service / "operations.json")
        self.ec2 = self.service.protocol == "ec2"
        self.data = json.loads((API / service / "operations.json").read_text())

    def members(self, operation, side):
        described = self.data["operations"][operation].get(side, {})
        return self.service.members(operation, described)

    def flatten(self, members, is_input, path="", newer=False):
        """-> {path: (type, enum)}, required paths, paths marked newer."""
        paths, required, new = {}, set(), set()
        for member in members:
            wire = member.query if is_input else member.wire
            child = f"{path}.{wire}" if path else wire
            is_newer = newer or "newer" in member.flags
            if is_input and "required" in member.flags:
                required.add(child)
            if member.item:
                child += ".N" if self.ec2 and is_input else f".{member.item}.N"
            if member.type in self.service.shapes:
                below = self.flatten(self.service.shapes[member.type], is_input, child, is_newer)
                paths.update(below[0])
                required |= below[1]
                new |= below[2]
            else:
                paths[child] = (member.type, tuple(member.enum or ()) if is_input else ())
                if is_newer:
                    new.add(child)
        return paths, required, new


class ModelOracle(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.services = {name: (OurService(name), AwsService(name)) for name in VERSIONS}

    def described(self):
        for name, (ours, aws) in self.services.items():
            for operation, data in ours.data["operations"].items():
                if operation in NEWER_OPERATIONS:
                    continue
                if "input" in data or data["implemented"]:
                    yield name, operation, ours, aws

    def compare(self, ours, theirs, ours_newer, what):
        self.assertEqual(set(), ours_newer & set(theirs), f"{what}: marked newer, but known to Debian's model")
        known = {path: kind for path, kind in ours.items() if path not in ours_newer}
        self.assertEqual(known, theirs, what)

    def test_services_have_aws_protocol_version_and_namespace(self):
        for name, (ours, aws) in self.services.items():
            metadata = aws.model["metadata"]
            self.assertEqual(ours.service.protocol, metadata["protocol"], name)
            self.assertEqual(ours.service.version, metadata["apiVersion"], name)
            # EC2 answers with a slash at the end, which the model leaves out.
            self.assertEqual(ours.service.namespace.rstrip("/"), metadata["xmlNamespace"].rstrip("/"), name)

    def test_every_elasticache_operation_is_listed(self):
        ours, aws = self.services["elasticache"]
        self.assertEqual(set(ours.data["operations"]), set(aws.model["operations"]) | NEWER_OPERATIONS)
        self.assertEqual(set(), NEWER_OPERATIONS & set(aws.model["operations"]))
        self.assertEqual(75, len(ours.data["operations"]))

    def test_operations_exist_in_the_aws_model(self):
        for name, (ours, aws) in self.services.items():
            unknown = set(ours.data["operations"]) - set(aws.model["operations"]) - NEWER_OPERATIONS
            self.assertEqual(set(), unknown, name)

    def test_implemented_operations_are_described(self):
        count = 0
        for _, operation, ours, _ in self.described():
            if ours.data["operations"][operation]["implemented"]:
                self.assertIn("input", ours.data["operations"][operation], operation)
                count += 1
        self.assertGreater(count, 30)

    def test_parameters_types_and_list_spellings(self):
        for name, operation, ours, aws in self.described():
            shape = aws.model["operations"][operation].get("input", {}).get("shape")
            theirs, their_required = aws.flatten(shape, True) if shape else ({}, set())
            paths, required, newer = ours.flatten(ours.members(operation, "input"), True)
            self.compare(paths, theirs, newer, f"{name} {operation} input")
            self.assertEqual(required, their_required, f"{name} {operation} required")

    def test_refused_operations_ask_for_what_is_required(self):
        for name, (ours, aws) in self.services.items():
            for operation, data in ours.data["operations"].items():
                if data["implemented"] or operation in NEWER_OPERATIONS:
                    continue
                shape = aws.model["shapes"][aws.model["operations"][operation]["input"]["shape"]]
                self.assertEqual(set(ours.service.required_of(operation)),
                                 set(shape.get("required", [])), f"{name} {operation}")

    def test_answers_and_their_list_names(self):
        for name, operation, ours, aws in self.described():
            output = aws.model["operations"][operation].get("output", {})
            theirs, _ = aws.flatten(output["shape"], False) if output else ({}, set())
            paths, _, newer = ours.flatten(ours.members(operation, "output"), False)
            self.compare(paths, theirs, newer, f"{name} {operation} output")
            wrapper = ours.data["operations"][operation].get("result")
            self.assertEqual(wrapper, output.get("resultWrapper"), f"{name} {operation} result element")

    def test_errors_of_operations(self):
        for name, operation, ours, aws in self.described():
            shapes = [error["shape"] for error in aws.model["operations"][operation].get("errors", [])]
            codes = {aws.shapes[shape].get("error", {}).get("code", shape) for shape in shapes}
            self.assertEqual(set(ours.data["operations"][operation].get("errors", [])), codes, f"{name} {operation}")

    def test_error_codes_and_statuses(self):
        for name, (_, aws) in self.services.items():
            rows = generate_api.read_rows([API / name / "errors.tsv", API / "common_errors.tsv"])
            status = {code: int(number) for _, code, number, _ in rows}
            for shape_name, shape in aws.shapes.items():
                # STS describes errors of operations that we do not provide.
                if "error" in shape and name != "sts":
                    code = shape["error"].get("code", shape_name)
                    self.assertEqual(status.get(code), shape["error"]["httpStatusCode"], f"{name} {code}")


if __name__ == "__main__":
    unittest.main()
