// SPDX-License-Identifier: Apache-2.0
// Delivers the logs of the nodes of this host: a thread that asks each engine for its slow log, and
// reads on in its log file.
//
// What it remembers is on the disk (log_stream.h): one that begins anew goes on where the other
// had come, when it is told where the logs go.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "control/agent/engine_config.h"
#include "control/agent/file_descriptor.h"
#include "control/agent/log_stream.h"
#include "control/agent/node_supervisor.h"
#include "control/model/log_delivery.h"
#include "control/model/node_runtime.h"

namespace mikura::control {

class LogDeliverer {
 public:
  // folder: of all logs; made when the first one is delivered. `changed` is called from the thread,
  // with no lock held, when the state of a delivery has changed.
  LogDeliverer(std::string folder, const AgentTimings& timings, std::function<void()> changed);
  ~LogDeliverer();
  LogDeliverer(const LogDeliverer&) = delete;
  LogDeliverer& operator=(const LogDeliverer&) = delete;

  // As NodeRuntime::DeliverLogs().
  std::vector<LogDeliveryState> Deliver(const std::string& node_id, const NodePaths& paths,
                                        const std::vector<LogTarget>& targets) EXCLUDES(mutex_);
  // Of a node whose process is gone: delivers the end of its log file, and forgets the node.
  void Finish(const std::string& node_id) EXCLUDES(mutex_, pass_mutex_);

 private:
  struct Job {
    NodePaths paths;
    std::vector<LogTarget> targets;
    std::vector<LogDeliveryState> states;  // one for each target
    int64_t version = 0;                   // another one with each change of targets
  };

  // How far the log of a node has been delivered.
  struct FilePosition {
    int64_t offset = 0;
    char role = 'M';       // the last one that was known
    uint64_t file = 0;     // its inode: the file may be moved away (node_log_file.h); 0: not known
    bool in_line = false;  // the rest of a line whose beginning is left out
  };
  // A log file of a node, open.
  struct LogFile {
    FileDescriptor descriptor;
    int64_t bytes = 0;
    uint64_t id = 0;  // 0: there is none
  };

  void Run() EXCLUDES(mutex_, pass_mutex_);
  // Delivers what is new of one node, unless it has been told otherwise meanwhile.
  void Pass(const std::string& node_id, const Job& job) EXCLUDES(mutex_, pass_mutex_);
  Status DeliverOne(const std::string& node_id, const NodePaths& paths, const LogTarget& target)
      REQUIRES(pass_mutex_);
  Status DeliverSlowLog(const std::string& node_id, const NodePaths& paths, const LogTarget& target,
                        LogStream& stream) const;
  Status DeliverEngineLog(const std::string& node_id, const NodePaths& paths,
                          const LogTarget& target, LogStream& stream) const;
  // The whole lines from `position` on.
  static Status DeliverFile(const FileDescriptor& file, FilePosition& position,
                            const std::string& node_id, const LogTarget& target, LogStream& stream);
  static FilePosition PositionOf(const std::string& stored);
  static LogFile OpenLog(const std::string& path);
  // Where the newer file is to be read from, when nothing of the older one is left.
  static FilePosition PositionIn(const LogFile& newer, bool first, FilePosition position);
  std::string PathOf(const LogTarget& target) const { return folder_ + "/" + target.stream; }

  const std::string folder_;
  const AgentTimings timings_;
  const std::function<void()> changed_;

  // One pass at a time; taken before mutex_.
  Mutex pass_mutex_;
  // Streams in use, by path: open since their last pass that went well.
  std::map<std::string, LogStream> streams_ GUARDED_BY(pass_mutex_);
  Mutex mutex_;
  CondVar wake_;
  std::map<std::string, Job> jobs_ GUARDED_BY(mutex_);  // by node id
  int64_t versions_ GUARDED_BY(mutex_) = 0;
  bool woken_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mikura::control
