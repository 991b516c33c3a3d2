// SPDX-License-Identifier: Apache-2.0
// The whole life of caches, by the AWS SDK for JavaScript, which has members that older tools cannot send.
// Each step is checked by data that are written and read through the endpoints.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askMemcached, call, nodeType, port, read, refuses, until, wait, withCache, write }
  from './support.mjs';

const kPasswords = ['first-password-of-the-user', 'second-password-of-the-user'];
const kTokens = ['the-first-token-of-a-group', 'the-second-token-of-a-group'];
const kZones = ['ap-northeast-1a', 'ap-northeast-1c', 'ap-northeast-1c'];

async function group(name) {
  const answer = await call('DescribeReplicationGroups', { ReplicationGroupId: name });
  return answer.ReplicationGroups[0];
}

async function cluster(name) {
  const answer = await call('DescribeCacheClusters',
    { CacheClusterId: name, ShowCacheNodeInfo: true });
  return answer.CacheClusters[0];
}

async function groupIsAvailable(name) {
  await wait('ReplicationGroupAvailable', { ReplicationGroupId: name });
  return (await group(name)).NodeGroups[0];
}

async function createGroup(name, nodes, more = {}) {
  const answer = await call('CreateReplicationGroup', { ReplicationGroupId: name,
    ReplicationGroupDescription: name, CacheNodeType: nodeType, NumCacheClusters: nodes, Port: port,
    AutomaticFailoverEnabled: nodes > 1, ...more });
  assert.equal(answer.ReplicationGroup.Status, 'creating');
  return groupIsAvailable(name);
}

async function modifyGroup(name, changes) {
  await call('ModifyReplicationGroup', { ReplicationGroupId: name, ApplyImmediately: true, ...changes });
  return groupIsAvailable(name);
}

async function deleteGroup(name, more = {}) {
  const { PrimaryEndpoint } = (await group(name)).NodeGroups[0];
  const answer = await call('DeleteReplicationGroup', { ReplicationGroupId: name, ...more });
  assert.equal(answer.ReplicationGroup.Status, 'deleting');
  await wait('ReplicationGroupDeleted', { ReplicationGroupId: name });
  await refuses('ReplicationGroupNotFoundFault', 'DescribeReplicationGroups',
    { ReplicationGroupId: name });
  await assert.rejects(read(PrimaryEndpoint, 'k'));
}

// Writes by the primary endpoint and waits until every other one has it.
async function writeAndRead(name, key, value, options) {
  const shard = (await group(name)).NodeGroups[0];
  await write(shard.PrimaryEndpoint, key, value, options);
  for (const endpoint of [shard.ReaderEndpoint, ...shard.NodeGroupMembers.map((it) => it.ReadEndpoint)]) {
    await until(async () => await read(endpoint, key, options) === value, `${endpoint.Address} has ${key}`);
  }
}

function primaryOf(shard) {
  return shard.NodeGroupMembers.find((it) => it.CurrentRole === 'primary').CacheClusterId;
}

async function infoOf(endpoint, field) {
  const text = await withCache(endpoint, (it) => it.info());
  return new RegExp(`^${field}:(.*)\r$`, 'm').exec(text)?.[1];
}

async function setParameters(values) {
  await call('ModifyCacheParameterGroup', { CacheParameterGroupName: 'settings',
    ParameterNameValues: Object.entries(values).map(
      ([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue })) });
}

// The steps, in their order.

async function aParameterGroup() {
  await call('CreateCacheParameterGroup', { CacheParameterGroupName: 'settings',
    CacheParameterGroupFamily: 'valkey8', Description: 'ours' });
  await setParameters({ 'reserved-memory-percent': '50' });
  const { Parameters } = await call('DescribeCacheParameters',
    { CacheParameterGroupName: 'settings', Source: 'user' });
  assert.deepEqual(Parameters.map((it) => [it.ParameterName, it.ParameterValue]),
    [['reserved-memory-percent', '50']]);
}

async function aNodeOfRedisThatBecomesValkey() {
  await createGroup('old', 1, { Engine: 'redis', EngineVersion: '7.1' });
  assert.equal((await group('old')).Engine, 'redis');
  await writeAndRead('old', 'kept', 'yes');
  const { PrimaryEndpoint } = await modifyGroup('old', { Engine: 'valkey', EngineVersion: '8.0' });
  assert.equal((await group('old')).Engine, 'valkey');
  assert.equal(await read(PrimaryEndpoint, 'kept'), 'yes');
  assert.equal(await infoOf(PrimaryEndpoint, 'server_name'), 'valkey');
  await deleteGroup('old');
}

async function aGroupOfValkeyOverZones() {
  const shard = await createGroup('demo', 3, { Engine: 'valkey', EngineVersion: '8.0',
    CacheParameterGroupName: 'settings', MultiAZEnabled: true, PreferredCacheClusterAZs: kZones,
    NetworkType: 'ipv4', IpDiscovery: 'ipv4', ClusterMode: 'disabled', Durability: 'disabled',
    Tags: [{ Key: 'team', Value: 'web' }] });
  const made = await group('demo');
  assert.deepEqual([made.Engine, made.ClusterMode, made.NetworkType, made.IpDiscovery, made.MultiAZ],
    ['valkey', 'disabled', 'ipv4', 'ipv4', 'enabled']);
  assert.ok(made.ReplicationGroupCreateTime instanceof Date);
  assert.deepEqual(shard.NodeGroupMembers.map((it) => it.PreferredAvailabilityZone), kZones);
  await writeAndRead('demo', 'first', '1');
  await assert.rejects(write(shard.ReaderEndpoint, 'first', '2'), /READONLY/);
  assert.deepEqual((await call('ListTagsForResource', { ResourceName: made.ARN })).TagList,
    [{ Key: 'team', Value: 'web' }]);
}

async function parametersChangeOnRunningNodes() {
  const { PrimaryEndpoint } = (await group('demo')).NodeGroups[0];
  assert.equal(await infoOf(PrimaryEndpoint, 'maxmemory'), '268435456');
  await setParameters({ 'reserved-memory-percent': '25', 'maxmemory-policy': 'allkeys-lfu' });
  await until(async () => await infoOf(PrimaryEndpoint, 'maxmemory_policy') === 'allkeys-lfu',
    'the policy has changed');
  assert.equal(await infoOf(PrimaryEndpoint, 'maxmemory'), '402653184');
  assert.equal(await read(PrimaryEndpoint, 'first'), '1');
}

async function replicasComeAndGo() {
  for (const [operation, count] of [['IncreaseReplicaCount', 3], ['DecreaseReplicaCount', 1]]) {
    await call(operation, { ReplicationGroupId: 'demo', NewReplicaCount: count, ApplyImmediately: true });
    assert.equal((await groupIsAvailable('demo')).NodeGroupMembers.length, count + 1);
    await writeAndRead('demo', operation, 'yes');
  }
}

async function nodesGrow() {
  const { ScaleUpModifications } = await call('ListAllowedNodeTypeModifications',
    { ReplicationGroupId: 'demo' });
  assert.ok(ScaleUpModifications.includes('cache.t3.small'));
  const shard = await modifyGroup('demo', { CacheNodeType: 'cache.t3.small' });
  for (const { ReadEndpoint } of shard.NodeGroupMembers) {
    assert.ok(Number(await infoOf(ReadEndpoint, 'maxmemory')) > 1e9);
    assert.equal(await read(ReadEndpoint, 'first'), '1');
  }
  await writeAndRead('demo', 'grown', 'yes');
}

async function thePrimaryFailsOver() {
  const before = (await group('demo')).NodeGroups[0];
  await call('TestFailover', { ReplicationGroupId: 'demo', NodeGroupId: '0001' });
  await until(async () => primaryOf((await group('demo')).NodeGroups[0]) !== primaryOf(before),
    'another primary');
  const after = await groupIsAvailable('demo');
  assert.deepEqual(after.PrimaryEndpoint, before.PrimaryEndpoint);
  assert.equal(await read(after.PrimaryEndpoint, 'grown'), 'yes');
  await writeAndRead('demo', 'failed-over', 'yes');
  const { Events } = await call('DescribeEvents', { Duration: 60 });
  const told = Events.map((it) => it.Message);
  const moved = `Failover from primary node ${primaryOf(before)} to replica node ${primaryOf(after)} completed`;
  assert.deepEqual(told.slice(told.indexOf('Test Failover API called for node group 0001')), [
    'Test Failover API called for node group 0001', moved, moved, 'Recovering cache nodes 0001',
    'Finished recovery for cache nodes 0001']);
}

async function snapshotIsAvailable(name) {
  await until(async () => {
    const { Snapshots } = await call('DescribeSnapshots', { SnapshotName: name });
    return Snapshots[0].SnapshotStatus === 'available';
  }, `snapshot ${name}`);
}

// A new group has the data when it is available.
async function aGroupIsRestored(snapshot, later) {
  const name = `from-${snapshot}`;
  const { PrimaryEndpoint } = await createGroup(name, 1, { Engine: 'valkey', SnapshotName: snapshot });
  const keys = ['first', 'grown', 'failed-over', 'later'];
  assert.deepEqual(await withCache(PrimaryEndpoint, (it) => it.mget(keys)), ['1', 'yes', 'yes', later]);
  await writeAndRead(name, 'new', '1');
  await deleteGroup(name);
}

async function aSnapshotAndItsCopy() {
  await call('CreateSnapshot', { ReplicationGroupId: 'demo', SnapshotName: 'one' });
  await snapshotIsAvailable('one');
  const { PrimaryEndpoint } = await groupIsAvailable('demo');
  await call('CopySnapshot', { SourceSnapshotName: 'one', TargetSnapshotName: 'two' });
  await snapshotIsAvailable('two');
  await call('DeleteSnapshot', { SnapshotName: 'one' });
  await write(PrimaryEndpoint, 'later', '1');
  await aGroupIsRestored('two', null);
}

async function usersBehindTls() {
  await call('CreateUser', { UserId: 'nobody', UserName: 'default', Engine: 'redis',
    AccessString: 'off -@all', AuthenticationMode: { Type: 'no-password-required' } });
  await call('CreateUser', { UserId: 'app', UserName: 'app', Engine: 'redis',
    AccessString: 'on ~app:* +@read +@write +@connection',
    AuthenticationMode: { Type: 'password', Passwords: [kPasswords[0]] } });
  await call('CreateUserGroup', { UserGroupId: 'people', Engine: 'redis', UserIds: ['nobody', 'app'] });
  await until(async () => (await call('DescribeUserGroups', { UserGroupId: 'people' }))
    .UserGroups[0].Status === 'active', 'the user group is active');
  const { PrimaryEndpoint: endpoint } = await createGroup('secure', 2, { Engine: 'redis',
    TransitEncryptionEnabled: true, TransitEncryptionMode: 'required', UserGroupIds: ['people'] });
  const as = (password) => ({ tls: true, username: 'app', password, enableReadyCheck: false });
  await writeAndRead('secure', 'app:1', 'v', as(kPasswords[0]));
  await assert.rejects(write(endpoint, 'other', 'v', as(kPasswords[0])), /NOPERM|permissions/);
  await assert.rejects(read(endpoint, 'app:1', { tls: true, enableReadyCheck: false }), /NOAUTH/);
  await call('ModifyUser', { UserId: 'app', Passwords: [kPasswords[1]] });
  await until(async () => (await call('DescribeUsers', { UserId: 'app' })).Users[0].Status === 'active',
    'the user is active');
  await assert.rejects(read(endpoint, 'app:1', as(kPasswords[0])));
  assert.equal(await read(endpoint, 'app:1', as(kPasswords[1])), 'v');
  await deleteGroup('secure');
  await call('DeleteUserGroup', { UserGroupId: 'people' });
  for (const UserId of ['app', 'nobody']) await call('DeleteUser', { UserId });
}

async function tlsFromPreferredToRequiredAndAToken() {
  const { PrimaryEndpoint: endpoint } = await createGroup('token', 1, { Engine: 'redis',
    TransitEncryptionEnabled: true, TransitEncryptionMode: 'preferred' });
  assert.equal((await group('token')).TransitEncryptionMode, 'preferred');
  await write(endpoint, 'k', 'v');
  assert.equal(await read(endpoint, 'k', { tls: true }), 'v');
  await modifyGroup('token', { TransitEncryptionMode: 'required' });
  assert.equal((await group('token')).TransitEncryptionMode, 'required');
  await assert.rejects(read(endpoint, 'k'));
  assert.equal(await read(endpoint, 'k', { tls: true }), 'v');
  for (const AuthToken of kTokens) {
    await modifyGroup('token', { AuthToken, AuthTokenUpdateStrategy: 'ROTATE' });
    assert.equal(await read(endpoint, 'k', { tls: true, password: AuthToken }), 'v');
  }
  await modifyGroup('token', { AuthToken: kTokens[1], AuthTokenUpdateStrategy: 'SET' });
  assert.equal(await read(endpoint, 'k', { tls: true, password: kTokens[1] }), 'v');
  await assert.rejects(read(endpoint, 'k', { tls: true, password: kTokens[0] }));
  await assert.rejects(read(endpoint, 'k', { tls: true }));
  await deleteGroup('token');
}

async function memcachedOutAndIn() {
  await call('CreateCacheCluster', { CacheClusterId: 'mc', Engine: 'memcached', NumCacheNodes: 2,
    CacheNodeType: nodeType, AZMode: 'cross-az', Port: port });
  const changes = [{}, { NumCacheNodes: 4 }, { NumCacheNodes: 2, CacheNodeIdsToRemove: ['0002', '0003'] }];
  let made;
  for (const [index, change] of changes.entries()) {
    if (index > 0) await call('ModifyCacheCluster', { CacheClusterId: 'mc', ApplyImmediately: true, ...change });
    await wait('CacheClusterAvailable', { CacheClusterId: 'mc' });
    made = await cluster('mc');
    const nodes = made.CacheNodes.map((it) => it.Endpoint);
    assert.equal(nodes.length, change.NumCacheNodes ?? 2);
    const answer = await askMemcached(made.ConfigurationEndpoint, 'config get cluster\r\n', 'END');
    assert.equal(answer.split('\n')[2].trim(),
      nodes.map((it) => `${it.Address}|${it.Address}|${it.Port}`).join(' '));
    for (const node of nodes) {
      assert.equal(await askMemcached(node, 'set k 0 0 1\r\nv\r\n', 'STORED'), 'STORED\r\n');
      assert.equal(await askMemcached(node, 'get k\r\n', 'END'), 'VALUE k 0 1\r\nv\r\nEND\r\n');
    }
  }
  assert.deepEqual(made.CacheNodes.map((it) => it.CacheNodeId), ['0001', '0004']);
  await call('DeleteCacheCluster', { CacheClusterId: 'mc' });
  await wait('CacheClusterDeleted', { CacheClusterId: 'mc' });
  await assert.rejects(askMemcached(made.CacheNodes[0].Endpoint, 'get k\r\n', 'END'));
}

// What is newer than the oldest tools and not there yet is refused, not overheard.
async function whatIsNotThereYetIsRefused() {
  const wanted = { ReplicationGroupId: 'no', ReplicationGroupDescription: 'no', CacheNodeType: nodeType,
    NumCacheClusters: 1 };
  for (const more of [{ ClusterMode: 'enabled' }, { Durability: 'sync' }, { IpDiscovery: 'ipv6' },
    { NetworkType: 'dual_stack' }, { ServerlessCacheSnapshotName: 'x' }]) {
    await refuses('InvalidParameterValueException', 'CreateReplicationGroup', { ...wanted, ...more });
  }
  await refuses('InvalidParameterValueException', 'CreateServerlessCache',
    { ServerlessCacheName: 'no', Engine: 'valkey' });
  await refuses('ServerlessCacheNotFoundFault', 'DeleteServerlessCache', { ServerlessCacheName: 'no' });
  assert.deepEqual((await call('DescribeServerlessCaches')).ServerlessCaches, []);
  assert.deepEqual((await call('DescribeServerlessCacheSnapshots')).ServerlessCacheSnapshots, []);
  await refuses('ReplicationGroupNotFoundFault', 'DescribeReplicationGroups', { ReplicationGroupId: 'no' });
}

async function theEndWithALastSnapshot() {
  await deleteGroup('demo', { FinalSnapshotIdentifier: 'last' });
  await snapshotIsAvailable('last');
  await aGroupIsRestored('last', '1');
  for (const SnapshotName of ['two', 'last']) await call('DeleteSnapshot', { SnapshotName });
  await until(async () => (await call('DescribeSnapshots')).Snapshots.length === 0, 'no snapshots');
  await call('DeleteCacheParameterGroup', { CacheParameterGroupName: 'settings' });
  assert.deepEqual((await call('DescribeReplicationGroups')).ReplicationGroups, []);
  assert.deepEqual((await call('DescribeCacheClusters')).CacheClusters, []);
}

test('the whole life of caches', { timeout: 220000 }, async (story) => {
  for (const step of [aParameterGroup, aNodeOfRedisThatBecomesValkey, aGroupOfValkeyOverZones,
    parametersChangeOnRunningNodes, replicasComeAndGo, nodesGrow, thePrimaryFailsOver,
    aSnapshotAndItsCopy, usersBehindTls, tlsFromPreferredToRequiredAndAToken, memcachedOutAndIn,
    whatIsNotThereYetIsRefused, theEndWithALastSnapshot]) {
    const begin = Date.now();
    await step();
    story.diagnostic(`${step.name}: ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  }
});
