# SPDX-License-Identifier: Apache-2.0
"""Random requests of ElastiCache, made from botocore's model: right ones, nearly right ones, wrong ones.

All choices come from the random number generator given, and none from an answer, so a seed gives the
same requests again.
"""

from signed_requests import VERSION, encode

ARN = "arn:aws:elasticache:ap-northeast-1:000000000000"
GROUPS = ["g1", "g2", "g3"]
CLUSTERS = ["c1", "c2", "c3"]
MEMBERS = [f"{group}-00{i}" for group in GROUPS for i in (1, 2, 3)]
SNAPSHOTS = ["s1", "s2", "s3", "s4"]
USERS = ["u1", "u2", "u3"]
USER_GROUPS = ["ug1", "ug2"]
PARAMETER_GROUPS = ["p1", "p2"]
DEFAULT_GROUPS = ["default.redis7", "default.redis6.x", "default.valkey7", "default.valkey8",
                  "default.memcached1.6"]
SUBNET_GROUPS = ["n1", "n2"]
ZONES = ["ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"]
WINDOWS = ["sun:05:00-sun:06:00", "mon:23:30-tue:00:30"]

# What a member of that name is mostly sent as, in whichever operation it stands.
VALUES = {
    "ReplicationGroupId": GROUPS,
    "ReplicationGroupDescription": ["a group", "another", "g & <h> \"i\""],
    "CacheClusterId": CLUSTERS + MEMBERS[:4],
    "PrimaryClusterId": MEMBERS,
    "SnapshotName": SNAPSHOTS,
    "SourceSnapshotName": SNAPSHOTS,
    "TargetSnapshotName": SNAPSHOTS,
    "FinalSnapshotIdentifier": SNAPSHOTS,
    "UserId": USERS,
    "UserName": ["default", "reader", "writer"],
    "UserGroupId": USER_GROUPS,
    "UserIds": USERS + ["default"],
    "UserIdsToAdd": USERS, "UserIdsToRemove": USERS,
    "UserGroupIds": USER_GROUPS, "UserGroupIdsToAdd": USER_GROUPS,
    "UserGroupIdsToRemove": USER_GROUPS,
    "AccessString": ["on ~* +@all", "on ~app:* -@all +@read", "off -@all", "on"],
    "Passwords": ["a-password-of-16-c", "another-password-16"],
    "AuthToken": ["a-token-of-16-chars", "another-token-of-16"],
    "AuthTokenUpdateStrategy": ["SET", "ROTATE", "DELETE"],
    "ApplyImmediately": ["true", "true", "true", "false"],
    "NoPasswordRequired": ["true", "false"],
    "CacheParameterGroupName": PARAMETER_GROUPS + DEFAULT_GROUPS,
    "CacheParameterGroupFamily": ["redis7", "redis6.x", "valkey7", "valkey8", "memcached1.6"],
    "ParameterName": ["maxmemory-policy", "timeout", "slowlog-max-len", "activerehashing",
                      "reserved-memory-percent", "max_item_size", "no-such-parameter"],
    "ParameterValue": ["allkeys-lru", "noeviction", "0", "10", "yes", "1048576", "-1"],
    "CacheSubnetGroupName": SUBNET_GROUPS,
    "CacheSubnetGroupDescription": ["some subnets"],
    "CacheNodeType": ["cache.t3.micro"] * 4 + ["cache.t4g.micro", "cache.t2.micro",
                                               "cache.m5.24xlarge"],
    "Engine": ["redis", "valkey", "memcached"],
    "EngineVersion": ["7.0", "7.1", "7.2", "8.0", "6.2", "1.6.22", "5.0.6"],
    "Port": [6379, 7000, 11211],
    "NumCacheClusters": [1, 2, 3],
    "NumNodeGroups": [1, 1, 2],
    "ReplicasPerNodeGroup": [0, 1, 2],
    "NumCacheNodes": [1, 1, 2, 3],
    "NewReplicaCount": [0, 1, 2],
    "NodeGroupId": ["0001", "0002"],
    "CacheNodeIdsToRemove": ["0001", "0002", "0003"],
    "CacheNodeIdsToReboot": ["0001", "0002"],
    "ReplicasToRemove": MEMBERS,
    "AZMode": ["single-az", "cross-az"],
    "PreferredAvailabilityZone": ZONES, "PreferredAvailabilityZones": ZONES,
    "PreferredCacheClusterAZs": ZONES, "NewAvailabilityZones": ZONES,
    "PreferredMaintenanceWindow": WINDOWS,
    "SnapshotWindow": ["05:00-06:00", "23:30-00:30"],
    "SnapshotRetentionLimit": [0, 1, 35],
    "SnapshotArns": ["arn:aws:s3:::bucket/absent.rdb", "file:///no/such/file.rdb"],
    "TargetBucket": ["bucket", "no-bucket"],
    "TransitEncryptionMode": ["preferred", "required"],
    "NetworkType": ["ipv4"], "IpDiscovery": ["ipv4"], "ClusterMode": ["disabled"],
    "ResourceName": [f"{ARN}:{kind}:{name}" for kind, names in (
        ("replicationgroup", GROUPS), ("cluster", CLUSTERS), ("snapshot", SNAPSHOTS),
        ("user", USERS), ("usergroup", USER_GROUPS), ("parametergroup", PARAMETER_GROUPS),
        ("subnetgroup", SUBNET_GROUPS)) for name in names],
    "TagKeys": ["team", "cost", "a b"],
    "Key": ["team", "cost", "a b"],
    "Value": ["x", "", "y & z"],
    "SourceIdentifier": GROUPS + CLUSTERS,
    "Source": ["user", "system"],
    "SnapshotSource": ["user", "system"],
    "MaxRecords": [20, 50, 100],
    "Duration": [1, 60],
    "SecurityGroupIds": [],  # filled in by whoever has made some
    "SubnetIds": [],
}

# The same for one operation, where others mean something else by the name.
OF_OPERATION = {
    "CreateReplicationGroup": {"Engine": ["redis", "valkey"], "EngineVersion": ["7.1", "7.2", "8.0"],
                               "CacheParameterGroupName": DEFAULT_GROUPS[:1]},
    "CreateCacheCluster": {"CacheClusterId": CLUSTERS},
    "CreateCacheParameterGroup": {"CacheParameterGroupName": PARAMETER_GROUPS},
    "ModifyCacheParameterGroup": {"CacheParameterGroupName": PARAMETER_GROUPS},
    "ResetCacheParameterGroup": {"CacheParameterGroupName": PARAMETER_GROUPS,
                                 "ResetAllParameters": ["true"]},
    "DeleteCacheParameterGroup": {"CacheParameterGroupName": PARAMETER_GROUPS},
    "IncreaseReplicaCount": {"NewReplicaCount": [1, 2, 3]},
    "CreateUserGroup": {"UserIds": ["default"]},
}
# Members of which a right request has only one.
EITHER = {"CreateSnapshot": ("ReplicationGroupId", "CacheClusterId"),
          "ResetCacheParameterGroup": ("ResetAllParameters", "ParameterNameValues")}
# Optional members that an operation is of little use without.
USUAL = {
    "CreateReplicationGroup": {"CacheNodeType", "NumCacheClusters"},
    "CreateCacheCluster": {"CacheNodeType", "Engine", "NumCacheNodes"},
    "ModifyReplicationGroup": {"ApplyImmediately", "CacheNodeType"},
    "ModifyCacheCluster": {"ApplyImmediately", "NumCacheNodes"},
    "IncreaseReplicaCount": {"NewReplicaCount"},
    "DecreaseReplicaCount": {"NewReplicaCount"},
    "CreateUser": {"Passwords"},
    "ModifyUser": {"AccessString"},
    "ModifyUserGroup": {"UserIdsToAdd"},
    "CreateUserGroup": {"UserIds"},
    "ResetCacheParameterGroup": {"ResetAllParameters"},
}
# Members that are refused wherever they stand, or that few ask for.
RARE = {"AuthToken", "AutoMinorVersionUpgrade", "CacheSecurityGroupNames", "DataTieringEnabled",
        "Durability", "GlobalReplicationGroupId", "KmsKeyId", "LogDeliveryConfigurations", "Marker",
        "NodeGroupConfiguration", "NotificationTopicArn", "NotificationTopicStatus", "NumNodeGroups",
        "OutpostMode", "PreferredOutpostArn", "PreferredOutpostArns", "PrimaryClusterId",
        "ReplicaConfiguration", "ServerlessCacheSnapshotName", "SnapshotArns", "SnapshottingClusterId",
        "TransitEncryptionEnabled", "AuthTokenUpdateStrategy", "NetworkType", "IpDiscovery"}
# How often an operation is sent; RARELY when it is not named here.
RARELY = 0.2
WEIGHTS = {
    "CreateReplicationGroup": 14, "CreateCacheCluster": 12, "ModifyReplicationGroup": 10,
    "ModifyCacheCluster": 6, "IncreaseReplicaCount": 5, "DecreaseReplicaCount": 5,
    "TestFailover": 3, "CreateSnapshot": 6, "CopySnapshot": 3, "DeleteSnapshot": 3,
    "RebootCacheCluster": 3, "DeleteReplicationGroup": 1.5, "DeleteCacheCluster": 1,
    "CreateUser": 4, "ModifyUser": 3, "DeleteUser": 1, "CreateUserGroup": 3, "ModifyUserGroup": 3,
    "DeleteUserGroup": 0.7, "CreateCacheParameterGroup": 3, "ModifyCacheParameterGroup": 5,
    "ResetCacheParameterGroup": 2, "CreateCacheSubnetGroup": 1, "ModifyCacheSubnetGroup": 2,
    "AddTagsToResource": 3, "RemoveTagsFromResource": 2, "ListTagsForResource": 2,
    "DescribeReplicationGroups": 2, "DescribeCacheClusters": 2, "DescribeSnapshots": 2,
}
ODD = ["", " ", "0", "-1", "1", "99999999999999999999", "2147483648", "-9223372036854775809", "1e3",
       "0x10", "1.5", "nan", "true", "TRUE", "null", "None", "*", "%", "a" * 41, "a" * 256,
       "b" * 5000, "-a", "a--b", "a-", "A_B", "../../etc/passwd", "a/b", "a\nb", "a\r\nb: c",
       "<a>&amp;", "' OR 1=1 --", "\u00e9", "\U0001f600", "\u2028", "2015-13-45", "9999-12-31T23:59:59Z",
       "0001-01-01T00:00:00Z", "sun:05:00-sun:05:01", "25:00-26:00", "cache.t3.micro ", "redis7",
       b"\x00", b"a\x00b", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"g1\xff", b"\x7f\x01\x1b"]


class Requests:
    def __init__(self, random, model, values=None):
        self.random = random
        self.model = model
        self.values = dict(VALUES, **(values or {}))
        self.operation = ""
        self.operations = sorted(model.operation_names)
        self.weights = [WEIGHTS.get(name, RARELY) for name in self.operations]

    def next(self):
        """(operation, body): about half of the bodies are meant to be right."""
        operation = self.operation = self.random.choices(self.operations, self.weights)[0]
        shape = self.model.operation_model(operation).input_shape
        fields = []
        if shape is not None:
            self.structure(shape, "", fields, USUAL.get(operation, set()))
            self.agree(operation, fields)
        if self.random.random() < 0.3:
            for _ in range(self.random.choice((1, 1, 1, 2, 3))):
                self.spoil(fields)
        envelope = [("Action", operation), ("Version", VERSION)]
        if self.random.random() < 0.01:
            del envelope[self.random.randrange(2)]
        return operation, self.spoil_body(encode(envelope + fields))

    def agree(self, operation, fields):
        """Members that go together: a right request must not fail for chance alone."""
        either = EITHER.get(operation, ())
        chosen = self.random.choice(either or ("",))
        drop = set(either) - {chosen}
        if chosen in ("ReplicationGroupId", "CacheClusterId"):
            fields.append((chosen, self.random.choice(GROUPS if chosen[0] == "R" else CLUSTERS)))
            drop.add(chosen)
        if operation == "CreateCacheCluster" and ("Engine", "memcached") not in fields:
            drop.update(("NumCacheNodes", "AZMode", "PreferredAvailabilityZones"))
        if operation == "CreateCacheCluster":
            drop.update(("ReplicationGroupId", "EngineVersion", "CacheParameterGroupName"))
        if drop and self.random.random() < 0.9:
            fields[:] = [each for i, each in enumerate(fields)
                         if each[0].split(".")[0] not in drop
                         or (chosen == each[0] and i == len(fields) - 1)]
        if operation == "CreateCacheCluster" and not any(n == "NumCacheNodes" for n, _ in fields):
            fields.append(("NumCacheNodes", 1))

    def structure(self, shape, prefix, fields, usual, depth=0):
        for name, member in shape.members.items():
            likely = 0.9 if name in usual or depth else 0.01 if name in RARE else 0.08
            if name not in shape.required_members and self.random.random() > likely:
                continue
            self.member(name, member, prefix + member.serialization.get("name", name), fields, depth)

    def member(self, name, shape, wire, fields, depth):
        if shape.type_name == "structure":
            self.structure(shape, wire + ".", fields, set(), depth + 1)
        elif shape.type_name == "list":
            item = shape.member.serialization.get("name", "member")
            for i in range(1, self.random.choice((1, 1, 2, 3)) + 1):
                self.member(name, shape.member, f"{wire}.{item}.{i}", fields, depth)
        else:
            fields.append((wire, self.scalar(name, shape)))

    def scalar(self, name, shape):
        known = OF_OPERATION.get(self.operation, {}).get(name) or self.values.get(name)
        if known:
            return self.random.choice(known)
        if getattr(shape, "enum", None):
            return self.random.choice(shape.enum)
        if shape.type_name == "boolean":
            return self.random.choice(("true", "false"))
        if shape.type_name in ("integer", "long", "double"):
            return self.random.choice((0, 1, 2, 20, 100))
        if shape.type_name == "timestamp":
            return self.random.choice(("2026-01-01T00:00:00Z", "2038-01-19T03:14:08.5Z"))
        return self.random.choice(("x", "a-name", "some text"))

    def spoil(self, fields):
        """One thing goes wrong in the form."""
        odd = self.random.choice(ODD)
        kind = self.random.randrange(8)
        at = self.random.randrange(len(fields)) if fields else None
        if at is None or kind == 0:
            name = self.random.choice(("NoSuchMember", "Tags.Tag.x.Key", "Filters", "A.b.c.1.2.3", "",
                                       "CacheNodeType.1", "Tags.Tag.1", ".", b"\xff", "a" * 3000))
            fields.append((name, odd))
            return
        name, value = fields[at]
        if kind <= 3:
            fields[at] = (name, odd)
        elif kind == 4:
            del fields[at]
        elif kind == 5:
            fields.append((name, value if self.random.random() < 0.5 else odd))
        elif kind == 6 and ".1" in str(name):
            other = self.random.choice(("0", "7", "-1", "01", "x", "99999999999999999999", ""))
            fields[at] = (str(name).replace(".1", "." + other, 1), value)
        else:
            other = self.random.choice([each for each in self.values.values() if each])
            fields[at] = (name, self.random.choice(other))

    def spoil_body(self, body):
        kind = self.random.randrange(100)
        if kind == 0:
            return body[:self.random.randrange(len(body))]
        if kind == 1:
            return body + self.random.choice((b"&%", b"&%zz=1", b"&=", b"&&&", b"&a", b"&\xff=\xfe"))
        if kind == 2:
            return body + b"&Tags.Tag.%d.Key=" % self.random.randrange(1, 9) + b"k" * 200_000
        if kind == 3:
            many = range(1, self.random.choice((51, 200, 3000)))
            return body + b"".join(b"&Tags.Tag.%d.Key=k%d" % (i, i) for i in many)
        return body
