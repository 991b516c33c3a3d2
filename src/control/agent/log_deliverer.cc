// SPDX-License-Identifier: Apache-2.0
#include "control/agent/log_deliverer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/logging.h"
#include "base/numbers.h"
#include "control/agent/admin_client.h"
#include "control/agent/engine_state.h"
#include "control/agent/file_descriptor.h"
#include "control/agent/log_lines.h"
#include "control/agent/node_log_file.h"

namespace mikura::control {
namespace {

// Asked for beyond those that are known to be new: entries that come between two requests.
constexpr int64_t kEntriesBetween = 64;
constexpr size_t kReadBytes = 256 << 10;
// Of a log file that nothing was delivered of yet, so much of its end is.
constexpr int64_t kFirstBytesMax = 1 << 20;

Result<std::vector<SlowLogEntry>> AskSlowLog(AdminClient& client, int64_t count) {
  ASSIGN_OR_RETURN(const AdminReply reply, client.Call({"SLOWLOG", "GET", std::to_string(count)}));
  return ParseSlowLog(reply);
}

// Those after the one of id `last`, newest first.
Result<std::vector<SlowLogEntry>> NewEntries(AdminClient& client, int64_t last) {
  ASSIGN_OR_RETURN(std::vector<SlowLogEntry> entries, AskSlowLog(client, 1));
  if (entries.empty() || entries.front().id <= last) return std::vector<SlowLogEntry>();
  const int64_t count = entries.front().id - last + kEntriesBetween;
  ASSIGN_OR_RETURN(entries, AskSlowLog(client, count));
  if (static_cast<int64_t>(entries.size()) == count && entries.back().id > last + 1) {
    ASSIGN_OR_RETURN(entries, AskSlowLog(client, -1));
  }
  std::erase_if(entries, [&](const SlowLogEntry& entry) { return entry.id <= last; });
  return entries;
}

// The run of the engine that the client speaks to.
Result<std::string> RunOf(AdminClient& client) {
  ASSIGN_OR_RETURN(const AdminReply info, client.Call({"INFO", "server"}));
  const auto run = InfoField(info.text, "run_id");
  if (!run) return Error{"INFO server names no run_id"};
  return std::string(*run);
}

std::string TimeNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = millis / 1000;
  tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     millis % 1000);
}

// Up to kReadBytes from `offset` on. Errors: the file cannot be read.
Result<std::string> ReadFrom(const FileDescriptor& file, int64_t offset) {
  std::string text(kReadBytes, '\0');
  const ssize_t count = pread(file.get(), text.data(), text.size(), offset);
  if (count < 0) return Error{fmt::format("cannot read the node's log: {}", std::strerror(errno))};
  text.resize(static_cast<size_t>(count));
  return text;
}

// The whole lines at the start of `text`; all of it when one line fills it.
std::string_view WholeLines(std::string_view text) {
  const size_t end = text.rfind('\n');
  if (end == text.npos) return text.size() == kReadBytes ? text : std::string_view();
  return text.substr(0, end + 1);
}

// 'M' or 'S'; nullopt when the node does not say.
std::optional<char> RoleOf(const NodePaths& paths, std::chrono::milliseconds timeout) {
  auto client = AdminClient::Connect(paths.admin_socket, timeout);
  if (!client.ok()) return std::nullopt;
  const auto info = client->Call({"INFO", "replication"});
  if (!info.ok()) return std::nullopt;
  return ParseReplicationInfo(info->text).is_primary ? 'M' : 'S';
}

}  // namespace

LogDeliverer::LogDeliverer(std::string folder, const AgentTimings& timings,
                           std::function<void()> changed)
    : folder_(std::move(folder)), timings_(timings), changed_(std::move(changed)) {
  thread_ = std::thread([this] { Run(); });
}

LogDeliverer::~LogDeliverer() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

std::vector<LogDeliveryState> LogDeliverer::Deliver(const std::string& node_id,
                                                    const NodePaths& paths,
                                                    const std::vector<LogTarget>& targets) {
  MutexLock lock(mutex_);
  const auto found = jobs_.find(node_id);
  if (found != jobs_.end() && found->second.targets == targets) return found->second.states;
  if (targets.empty()) {
    if (found != jobs_.end()) jobs_.erase(found);
    return {};
  }
  jobs_[node_id] = {paths, targets, std::vector<LogDeliveryState>(targets.size()), ++versions_};
  woken_ = true;
  wake_.NotifyAll();
  return jobs_[node_id].states;
}

void LogDeliverer::Finish(const std::string& node_id) {
  MutexLock pass(pass_mutex_);
  std::optional<Job> job;
  {
    MutexLock lock(mutex_);
    const auto found = jobs_.find(node_id);
    if (found == jobs_.end()) return;
    job = found->second;
    jobs_.erase(found);
  }
  for (const LogTarget& target : job->targets) {
    Status done = DeliverOne(node_id, job->paths, target);
    const auto stream = streams_.find(PathOf(target));
    if (done.ok() && stream != streams_.end()) done = stream->second.Drop(node_id);
    streams_.erase(PathOf(target));
    if (done.ok()) continue;
    Log(LogLevel::kWarning, "agent", "the end of the {} of node {} is lost: {}", target.log_type,
        node_id, done.error().message);
  }
}

void LogDeliverer::Run() {
  while (true) {
    std::map<std::string, Job> jobs;
    {
      MutexLock lock(mutex_);
      if (!woken_ && !stopping_) wake_.WaitFor(mutex_, timings_.log_interval);
      if (stopping_) return;
      woken_ = false;
      jobs = jobs_;
    }
    std::set<std::string> used;
    for (const auto& [node_id, job] : jobs) {
      Pass(node_id, job);
      for (const LogTarget& target : job.targets) used.insert(PathOf(target));
    }
    MutexLock pass(pass_mutex_);
    std::erase_if(streams_, [&](const auto& each) { return used.count(each.first) == 0; });
  }
}

void LogDeliverer::Pass(const std::string& node_id, const Job& job) {
  bool changed = false;
  for (size_t i = 0; i < job.targets.size(); ++i) {
    MutexLock pass(pass_mutex_);
    {
      MutexLock lock(mutex_);
      const auto found = jobs_.find(node_id);
      if (stopping_ || found == jobs_.end() || found->second.version != job.version) return;
    }
    const Status done = DeliverOne(node_id, job.paths, job.targets[i]);
    if (!done.ok()) streams_.erase(PathOf(job.targets[i]));
    const LogDeliveryState state{true, done.ok() ? "" : done.error().message};
    MutexLock lock(mutex_);
    const auto found = jobs_.find(node_id);
    if (found == jobs_.end() || found->second.version != job.version) return;
    changed = changed || !(found->second.states[i] == state);
    found->second.states[i] = state;
  }
  if (changed) changed_();
}

Status LogDeliverer::DeliverOne(const std::string& node_id, const NodePaths& paths,
                                const LogTarget& target) {
  auto found = streams_.find(PathOf(target));
  if (found == streams_.end()) {
    LogStream stream(PathOf(target));
    RETURN_IF_ERROR(stream.Open());
    found = streams_.emplace(PathOf(target), std::move(stream)).first;
  }
  if (target.log_type == kSlowLog) {
    return DeliverSlowLog(node_id, paths, target, found->second);
  }
  return DeliverEngineLog(node_id, paths, target, found->second);
}

// The position is the run of the engine and the id of the last entry of it: a new run begins anew.
Status LogDeliverer::DeliverSlowLog(const std::string& node_id, const NodePaths& paths,
                                    const LogTarget& target, LogStream& stream) const {
  auto client = AdminClient::Connect(paths.admin_socket, timings_.admin_timeout);
  if (!client.ok()) return Ok();  // it does not run, and the next run has other entries
  const auto run = RunOf(*client);
  if (!run.ok()) return Ok();  // the same: it ends, or will be found to hang
  const std::string position = stream.PositionOf(node_id);
  const size_t blank = position.find(' ');
  const bool goes_on = blank != position.npos && position.substr(0, blank) == *run;
  const int64_t last =
      goes_on ? ParseInt64(std::string_view(position).substr(blank + 1)).value_or(-1) : -1;
  const auto entries = NewEntries(*client, last);
  if (!entries.ok() || entries->empty()) return Ok();
  std::string lines;
  for (auto entry = entries->rbegin(); entry != entries->rend(); ++entry) {
    lines += SlowLogLine(target, *entry);
  }
  return stream.Append(lines, node_id, fmt::format("{} {}", *run, entries->front().id));
}

LogDeliverer::FilePosition LogDeliverer::PositionOf(const std::string& stored) {
  FilePosition position;
  std::istringstream words(stored);
  words >> position.offset >> position.role >> position.file;
  return position;
}

LogDeliverer::LogFile LogDeliverer::OpenLog(const std::string& path) {
  LogFile file;
  file.descriptor = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.descriptor.valid() || fstat(file.descriptor.get(), &status) != 0) return file;
  file.bytes = static_cast<int64_t>(status.st_size);
  file.id = status.st_ino;
  return file;
}

LogDeliverer::FilePosition LogDeliverer::PositionIn(const LogFile& newer, bool first,
                                                    FilePosition position) {
  const bool other = position.file != 0 && position.file != newer.id;
  if (other || newer.bytes < position.offset) position.offset = 0;
  if (first && newer.bytes > kFirstBytesMax) {
    position.offset = newer.bytes - kFirstBytesMax;
    position.in_line = true;
  }
  position.file = newer.id;
  return position;
}

// The position is the length of the file that has been read, the role of the node, and which file
// it was: when that has been moved away, the rest of it comes before what the engine writes now.
Status LogDeliverer::DeliverEngineLog(const std::string& node_id, const NodePaths& paths,
                                      const LogTarget& target, LogStream& stream) const {
  const LogFile older = OpenLog(OlderLogFile(paths));
  const LogFile newer = OpenLog(paths.log_file);
  const std::string stored = stream.PositionOf(node_id);
  FilePosition position = PositionOf(stored);
  const bool was_moved = older.id != 0 && position.file == older.id;
  const bool is_new =
      newer.id != 0 && (position.file != newer.id || position.offset != newer.bytes);
  if (!is_new && (!was_moved || position.offset == older.bytes)) return Ok();
  position.role = RoleOf(paths, timings_.admin_timeout).value_or(position.role);
  if (was_moved) {
    RETURN_IF_ERROR(DeliverFile(older.descriptor, position, node_id, target, stream));
    // The engine may have it open still.
    if (newer.bytes == 0) return Ok();
  }
  if (newer.id == 0) return Ok();  // it has not started yet
  position = PositionIn(newer, stored.empty(), position);
  return DeliverFile(newer.descriptor, position, node_id, target, stream);
}

Status LogDeliverer::DeliverFile(const FileDescriptor& file, FilePosition& position,
                                 const std::string& node_id, const LogTarget& target,
                                 LogStream& stream) {
  while (true) {
    ASSIGN_OR_RETURN(const std::string text, ReadFrom(file, position.offset));
    std::string_view whole = WholeLines(text);
    if (whole.empty()) return Ok();
    position.offset += static_cast<int64_t>(whole.size());
    std::string lines;
    for (; !whole.empty(); position.in_line = false) {
      const size_t end = std::min(whole.find('\n'), whole.size());
      if (!position.in_line) {
        lines += EngineLogLine(target, position.role, whole.substr(0, end), TimeNow());
      }
      whole.remove_prefix(std::min(end + 1, whole.size()));
    }
    RETURN_IF_ERROR(stream.Append(
        lines, node_id, fmt::format("{} {} {}", position.offset, position.role, position.file)));
  }
}

}  // namespace mikura::control
