# SPDX-License-Identifier: Apache-2.0
# The walk of the demo: sourced by tools/demo/demo.sh, with the service running.
# Sets primary_host and primary_port for its caller.

step "Create a network, find it by its address range, and give it a name"
aws_do ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text
aws_do ec2 describe-vpcs --filter Name=cidr-block,Values=10.0.0.0/16 --query 'Vpcs[*].VpcId' \
  --output text
vpc=$(id_in_output vpc)
aws_do ec2 create-tags --resources "$vpc" --tags Key=Name,Value=cache-vpc

step "Two subnets in it, in two zones"
make_subnet() { # zone, address range, name
  aws_do ec2 create-subnet --vpc-id "$vpc" --cidr-block "$2" --availability-zone "$1" \
    --query Subnet.AvailabilityZone --output text
  aws_do ec2 describe-subnets --filter "Name=cidr-block,Values=$2" \
    --query 'Subnets[*].SubnetId' --output text
  subnet=$(id_in_output subnet)
  aws_do ec2 create-tags --resources "$subnet" --tags "Key=Name,Value=$3"
}
make_subnet ap-northeast-1a 10.0.1.0/24 cache-subnet-a
subnet_a=$subnet
make_subnet ap-northeast-1c 10.0.2.0/24 cache-subnet-c
subnet_c=$subnet

step "Who may connect: a security group"
aws_do ec2 create-security-group --group-name cache-sg --description cache --vpc-id "$vpc" \
  --query GroupId --output text
group=$(id_in_output sg)
aws_do ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 6379 \
  --cidr 10.0.0.0/16 --query Return

step "Where caches may live: a subnet group"
aws_do elasticache create-cache-subnet-group --cache-subnet-group-name cache-subnets \
  --cache-subnet-group-description 'two zones' --subnet-ids "$subnet_a" "$subnet_c" \
  --query 'CacheSubnetGroup.Subnets[*].SubnetAvailabilityZone.Name' --output text

step "A Redis cache: one primary and two replicas, over both zones"
created=$(milliseconds)
aws_do elasticache create-replication-group --replication-group-id demo \
  --replication-group-description demo --engine redis --cache-node-type cache.t3.micro \
  --num-cache-clusters 3 --automatic-failover-enabled --multi-az-enabled \
  --preferred-cache-cluster-a-zs ap-northeast-1a ap-northeast-1c ap-northeast-1c \
  --cache-subnet-group-name cache-subnets --security-group-ids "$group" \
  --query 'ReplicationGroup.[Status,MemberClusters]'
aws_wait replication-group-available --replication-group-id demo
good "available after $(($(milliseconds) - created)) ms, the AWS CLI's own start included"

show_members() {
  aws_do elasticache describe-replication-groups --replication-group-id demo --output table --query \
    'ReplicationGroups[0].NodeGroups[0].NodeGroupMembers[*].[CacheClusterId,PreferredAvailabilityZone,CurrentRole]'
}
show_members

step "Use it: the primary endpoint writes, the reader endpoint reads from replicas"
aws_do elasticache describe-replication-groups --replication-group-id demo --output text --query \
  'ReplicationGroups[0].NodeGroups[0].[PrimaryEndpoint.Address,PrimaryEndpoint.Port,ReaderEndpoint.Address,ReaderEndpoint.Port]'
read -r primary_host primary_port reader_host reader_port <<<"$output"
note "primary endpoint $primary_host:$primary_port, reader endpoint $reader_host:$reader_port"
primary=(redis-cli -h "$primary_host" -p "$primary_port")
reader=(redis-cli -h "$reader_host" -p "$reader_port")
do_it "${primary[@]}" SET greeting 'hello from the cache'
do_it "${primary[@]}" GET greeting
reader_has_it() { [ "$("${reader[@]}" GET greeting 2>&1)" = 'hello from the cache' ]; }
await 5 reader_has_it || fail "the reader endpoint does not have the value"
do_it "${reader[@]}" GET greeting

step "The primary dies"
victim=$("${primary[@]}" INFO server | tr -d '\r' | sed -n 's/^process_id://p')
[ -n "$victim" ] || fail "INFO server does not name the process"
note "INFO server on the primary endpoint says: process_id:$victim"
killed=$(milliseconds)
do_it kill -9 "$victim"
show "${primary[@]}" GET greeting
still_there() { [ "$(timeout 5 "${primary[@]}" GET greeting 2>/dev/null)" = 'hello from the cache' ]; }
await 15 still_there || fail "the primary endpoint did not answer within 15 s of the crash"
answered=$(($(milliseconds) - killed))
good "\"hello from the cache\", from the same endpoint, $answered ms after the crash"
writes_again() { [ "$(timeout 5 "${primary[@]}" SET after failover 2>/dev/null)" = OK ]; }
await 15 writes_again || fail "the new primary takes no writes"
show "${primary[@]}" SET after failover
good "OK: and it takes writes"
aws_wait replication-group-available --replication-group-id demo
show_members

step "A Memcached cluster of two nodes"
aws_do elasticache create-cache-cluster --cache-cluster-id sessions --engine memcached \
  --cache-node-type cache.t3.micro --num-cache-nodes 2 --cache-subnet-group-name cache-subnets \
  --query 'CacheCluster.[CacheClusterStatus,NumCacheNodes]'
aws_wait cache-cluster-available --cache-cluster-id sessions
aws_do elasticache describe-cache-clusters --cache-cluster-id sessions --show-cache-node-info \
  --output text --query 'CacheClusters[0].CacheNodes[*].[Endpoint.Address,Endpoint.Port]'
nodes=$(awk '{print $1 ":" $2}' <<<"$output")
[ "$(wc -l <<<"$nodes")" = 2 ] || fail "the cluster has not two nodes"
do_it /usr/bin/python3 tools/demo/memcached_round_trip.py $nodes
show memcstat "--servers=$(paste -sd, <<<"$nodes")"
memcstat "--servers=$(paste -sd, <<<"$nodes")" | grep -E '^Server:|curr_items|cmd_set' | sed 's/^/   /'

step "One engine, both protocols: written as Redis, read as Memcached"
resp_port=$(free_port) memcached_port=$(free_port)
show mikura engine --port "$resp_port" --memcached-port "$memcached_port"
(cd "$work" && exec "$binary" engine --bind 127.0.0.1 --port "$resp_port" \
  --memcached-port "$memcached_port") </dev/null >>"$work/log" 2>&1 &
alone=$!
disown
both_listen() { listens "$resp_port" && listens "$memcached_port"; }
await 10 both_listen || fail "the engine does not listen"
do_it redis-cli -p "$resp_port" SET shared 'one value, two protocols'
do_it memccat "--servers=127.0.0.1:$memcached_port" shared
[ "$output" = 'one value, two protocols' ] || fail "memcached reads another value"
kill -TERM "$alone"
await 10 ended "$alone" || fail "the engine does not stop"
alone=""

step "What runs now"
aws_do elasticache describe-cache-clusters --output table --query \
  'CacheClusters[*].[CacheClusterId,Engine,CacheClusterStatus,NumCacheNodes,PreferredAvailabilityZone]'
