# SPDX-License-Identifier: Apache-2.0
"""Ends whatever caches there are through the API, and says what is left of them: processes, ports, files,
records."""

import os
import sqlite3

from botocore.exceptions import ClientError

UNSETTLED = {"creating", "modifying", "deleting", "snapshotting", "rebooting cluster nodes", "copying",
             "exporting"}


def resources(cache):
    """(kind, id, status) of everything that has a status."""
    found = []
    for kind, operation, result, name, status in (
            ("replication group", "describe_replication_groups", "ReplicationGroups",
             "ReplicationGroupId", "Status"),
            ("cache cluster", "describe_cache_clusters", "CacheClusters",
             "CacheClusterId", "CacheClusterStatus"),
            ("snapshot", "describe_snapshots", "Snapshots", "SnapshotName", "SnapshotStatus"),
            ("user group", "describe_user_groups", "UserGroups", "UserGroupId", "Status"),
            ("user", "describe_users", "Users", "UserId", "Status")):
        for page in cache.get_paginator(operation).paginate():
            found += [(kind, each[name], each[status]) for each in page[result]]
    return found


def unsettled(cache):
    return [each for each in resources(cache) if each[2] in UNSETTLED]


def delete_everything(cache):
    """Asks for one round of deletions. Returns what there was, with what was answered to the deletion."""
    left = []

    def delete(operation, name, id):
        try:
            getattr(cache, operation)(**{name: id})
            left.append((operation, id, "asked"))
        except ClientError as error:
            left.append((operation, id, error.response["Error"]["Message"]))

    groups = cache.get_paginator("describe_replication_groups").paginate().build_full_result()
    for group in groups["ReplicationGroups"]:
        delete("delete_replication_group", "ReplicationGroupId", group["ReplicationGroupId"])
    clusters = cache.get_paginator("describe_cache_clusters").paginate().build_full_result()
    for cluster in clusters["CacheClusters"]:
        if "ReplicationGroupId" not in cluster:
            delete("delete_cache_cluster", "CacheClusterId", cluster["CacheClusterId"])
    for kind, name, status in resources(cache):
        if kind == "snapshot":
            delete("delete_snapshot", "SnapshotName", name)
        elif kind == "user group":
            delete("delete_user_group", "UserGroupId", name)
        elif kind == "user" and name != "default":
            delete("delete_user", "UserId", name)
    for group in cache.describe_cache_parameter_groups()["CacheParameterGroups"]:
        name = group["CacheParameterGroupName"]
        if not name.startswith("default."):
            delete("delete_cache_parameter_group", "CacheParameterGroupName", name)
    for group in cache.describe_cache_subnet_groups()["CacheSubnetGroups"]:
        name = group["CacheSubnetGroupName"]
        if name != "default":
            delete("delete_cache_subnet_group", "CacheSubnetGroupName", name)
    return left


def node_of(pid, data_dir):
    """The id of the node that a process is the engine of, or None."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode(errors="replace").split("\0")
    except OSError:
        return None
    folder = f"{data_dir}/nodes/"
    if len(words) < 3 or words[1] != "engine" or not words[2].startswith(folder):
        return None
    return words[2][len(folder):].split("/")[0]


def engines(data_dir):
    """The pids of the engines whose files are in the data directory."""
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and node_of(pid, data_dir)]


def listening(pid):
    """Where a process listens: (address, port)."""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    mine = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            mine.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            continue
    found = []
    for row in rows:
        if row[3] == "0A" and f"socket:[{row[9]}]" in mine:
            address, port = row[1].split(":")
            parts = [str(int(address[i:i + 2], 16)) for i in (6, 4, 2, 0)]
            found.append((".".join(parts), int(port, 16)))
    return sorted(found)


def files(data_dir):
    found = []
    for folder in ("nodes", "snapshots"):
        for root, folders, names in os.walk(os.path.join(data_dir, folder)):
            found += [os.path.relpath(os.path.join(root, name), data_dir)
                      for name in folders + names]
    return sorted(found)


def records(data_dir):
    """The keys of the metadata that belong to caches."""
    with sqlite3.connect(f"file:{data_dir}/metadata.sqlite?mode=ro", uri=True, timeout=20) as store:
        keys = [row[0] for row in store.execute("select key from kv")]
    return [key for key in keys
            if key.startswith(("/ec/v1/node/", "/ec/v1/shard/", "/ec/v1/ip/loopback/"))
            or any(f"/{kind}/" in key for kind in
                   ("rg", "cc", "usergrp", "paramgrp", "snapshot", "ec2/use"))]
