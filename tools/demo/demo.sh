#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job, as a user of the AWS CLI sees it: a network in two zones, a replicated cache in it,
# the death of its primary, and a Memcached cluster. ./dev demo builds and calls this.
#
#   ./dev demo            leaves the service running, and says how to stop it
#   ./dev demo --once     stops everything at the end; exits non-zero when a step failed
#   ./dev demo --port P   the service's port; by default 4566, or a free one when that is taken
# It starts afresh each time: data and log are in build/demo.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/demo/lib.sh

once="" port=""
while [ $# -gt 0 ]; do
  case "$1" in
    --once) once=yes ;;
    --port)
      shift
      port="${1:?--port needs a number}"
      ;;
    *)
      sed -n 's/^#   //p' "$0" >&2
      exit 2
      ;;
  esac
  shift
done

work="$PWD/build/demo"
data="$work/data"
binary="$PWD/build/release/mikura"
service="" alone=""
mkdir -p "$work"

finish() {
  local code=$?
  trap - EXIT
  trap '' INT TERM # the second signal of an impatient user must not leave caches running
  if [ $code -ne 0 ]; then
    printf '\n%sThe demo failed in step %d.%s The last lines of %s:\n' "$red" "$steps" "$plain" \
      "$work/log" >&2
    tail -n 15 "$work/log" >&2 || true
    stop_all
  elif [ -n "$once" ]; then
    stop_all
    note "Stopped everything."
  fi
  exit $code
}

# A demo that was left running is ended first: this one starts afresh.
stop_all
rm -rf "$data"
mkdir -p "$data"
: >"$work/log"
trap finish EXIT
trap 'exit 130' INT TERM

if [ -z "$port" ]; then
  port=4566
  ! listens "$port" || port=$(free_port)
fi
endpoint="http://127.0.0.1:$port"

# The AWS CLI as it comes, with keys that need no account. Its waiters poll each 15 seconds; the copy
# of its own waiter descriptions in a home of ours makes that one second.
home="$work/home"
models="$home/.aws/models/elasticache/2015-02-02"
waiters=/usr/lib/python3/dist-packages/awscli/botocore/data/elasticache/2015-02-02/waiters-2.json
mkdir -p "$models"
sed 's/"delay": *[0-9]*/"delay": 1/' "$waiters" >"$models/waiters-2.json"
export HOME="$home" AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
export AWS_DEFAULT_REGION=ap-northeast-1 AWS_PAGER="" AWS_EC2_METADATA_DISABLED=true

step "Start the service"
show mikura up --port "$port" --data-dir "$data" --stop-caches-on-exit
setsid "$binary" up --port "$port" --data-dir "$data" --stop-caches-on-exit \
  </dev/null >>"$work/log" 2>&1 &
service=$!
disown
answers_or_ended() { listens "$port" || ended "$service"; }
await 20 answers_or_ended || fail "the service does not listen on $port"
! ended "$service" || fail "the service ended at once"
good "An AWS endpoint: $endpoint (below: E=\"--endpoint-url $endpoint\")"

. tools/demo/walk.sh

if [ -z "$once" ]; then
  step "What to try next"
  cat <<NEXT
   The service is still running (process $service). In another terminal:

     export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=ap-northeast-1
     aws --endpoint-url $endpoint elasticache describe-replication-groups
     redis-cli -h $primary_host -p $primary_port
     aws --endpoint-url $endpoint elasticache delete-replication-group --replication-group-id demo
     kill $service        # stops the service and its caches

   Its log: $work/log   Its data: $data
NEXT
fi
printf '\n%sThe demo went through, %d steps.%s\n' "$green" "$steps" "$plain"
