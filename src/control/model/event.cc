// SPDX-License-Identifier: Apache-2.0
#include "control/model/event.h"

#include "control/model/record_json.h"

namespace mikura::control {

template <typename Visitor>
void VisitFields(Visitor& visit, Event& event) {
  visit("account", event.account);
  visit("region", event.region);
  visit("source_type", event.source_type);
  visit("source_id", event.source_id);
  visit("message", event.message);
  visit("at", event.at);
  visit("topic", event.topic);
}

std::string ToJson(const Event& event) { return RecordToJson(event); }

Result<Event> EventFromJson(std::string_view text) { return RecordFromJson<Event>("event", text); }

}  // namespace mikura::control
