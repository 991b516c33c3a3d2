# SPDX-License-Identifier: Apache-2.0
# How the demo talks, waits and cleans up; tools/demo/demo.sh is the walk itself.

if [ -t 1 ]; then
  bold=$'\033[1m' dim=$'\033[2m' green=$'\033[32m' red=$'\033[31m' plain=$'\033[0m'
else
  bold="" dim="" green="" red="" plain=""
fi

steps=0
step() {
  steps=$((steps + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$steps" "$1" "$plain"
}
note() { printf '   %s\n' "$*"; }
good() { printf '   %s%s%s\n' "$green" "$*" "$plain"; }
fail() {
  printf '\n%sdemo: %s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

# Prints a command as one would type it; $E stands for the --endpoint-url option.
show() {
  printf '%s$' "$dim"
  local word
  for word in "$@"; do
    case "$word" in
      '$E') printf ' %s' "$word" ;;
      "" | *[!A-Za-z0-9_./:=,@%+-]*) printf " '%s'" "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '%s\n' "$plain"
}

# Shows a command, runs it, and keeps its output in $output as well as printing it.
do_it() {
  show "$@"
  output=$("$@")
  [ -z "$output" ] || printf '%s\n' "$output"
}

# The same for the AWS CLI against the service.
aws_do() {
  show aws '$E' "$@"
  output=$(/usr/bin/aws --endpoint-url "$endpoint" "$@")
  [ -z "$output" ] || printf '%s\n' "$output"
}

# id_in_output PREFIX: the first id of that kind in $output.
id_in_output() {
  grep -o "$1-[0-9a-f]*" <<<"$output" | head -n 1 || fail "no $1-... in the answer"
}

# Waits with one of the CLI's own waiters.
aws_wait() {
  show aws '$E' elasticache wait "$@"
  with_progress /usr/bin/aws --endpoint-url "$endpoint" elasticache wait "$@"
}

# Runs a command that may take long and shows that time passes. Its output comes at its end.
with_progress() {
  local begin=$SECONDS pid
  "$@" >"$work/output" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    [ -t 1 ] && printf '\r   %s... %d s%s' "$dim" $((SECONDS - begin)) "$plain"
    sleep 0.2
  done
  [ -t 1 ] && printf '\r\033[K'
  wait "$pid" || {
    cat "$work/output" >&2
    return 1
  }
  cat "$work/output"
}

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# Whether something listens on 127.0.0.1:PORT.
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# await SECONDS COMMAND...: polls the command until it succeeds.
await() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.05
  done
}

ended() { ! kill -0 "$1" 2>/dev/null; }

# The processes that run from the demo's data folder: the service and the caches it started.
demo_processes() {
  local folder command
  for folder in /proc/[0-9]*; do
    command=$({ tr '\0' ' ' <"$folder/cmdline"; } 2>/dev/null) || continue
    case "$command" in *mikura*"$data"*) echo "${folder#/proc/}" ;; esac
  done
}

# Ends the service and every cache it started, each by its process id.
stop_all() {
  local pid
  if [ -n "${service:-}" ]; then
    kill -TERM "$service" 2>/dev/null || true
    await 15 ended "$service" || true
  fi
  for pid in ${alone:-} $(demo_processes); do
    kill -KILL "$pid" 2>/dev/null || true
  done
}
