// SPDX-License-Identifier: Apache-2.0
// Records of the metadata store to and from JSON. A record names its fields once:
//
//   template <typename Visitor> void VisitFields(Visitor& visit, Endpoint& record) {
//     visit("address", record.address); ...
//   }
//
// A field that is missing keeps its default, so that a newer program reads older records; a field
// of the wrong type is an error. VisitFields stands in this namespace, where it is found by its
// argument. Included by the .cc files of the model alone.
#pragma once

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mikura::control {

class JsonWriter {
 public:
  void operator()(std::string_view name, std::string& value) { Put(name, value); }
  void operator()(std::string_view name, int64_t& value) { Put(name, value); }
  void operator()(std::string_view name, bool& value) { Put(name, value); }
  void operator()(std::string_view name, std::vector<std::string>& values) {
    boost::json::array& array = Put(name, boost::json::array()).as_array();
    for (const std::string& value : values) array.emplace_back(value);
  }
  void operator()(std::string_view name, std::map<std::string, std::string>& values) {
    boost::json::object& map = Put(name, boost::json::object()).as_object();
    for (const auto& [key, value] : values) map[key] = value;
  }
  template <typename Record>
  void operator()(std::string_view name, std::vector<Record>& records) {
    boost::json::array& array = Put(name, boost::json::array()).as_array();
    for (Record& record : records) array.emplace_back(ObjectOf(record));
  }
  template <typename Record>
  void operator()(std::string_view name, Record& record) {
    Put(name, ObjectOf(record));
  }

  template <typename Record>
  static boost::json::object ObjectOf(Record& record) {
    JsonWriter writer;
    VisitFields(writer, record);
    return std::move(writer.object_);
  }

 private:
  template <typename Value>
  boost::json::value& Put(std::string_view name, Value&& value) {
    return object_[boost::json::string_view(name.data(), name.size())] =
               boost::json::value(std::forward<Value>(value));
  }

  boost::json::object object_;
};

class JsonReader {
 public:
  explicit JsonReader(const boost::json::object& object) : object_(object) {}

  void operator()(std::string_view name, std::string& value) {
    if (const auto* field = Field(name)) ReadText(name, *field, value);
  }
  void operator()(std::string_view name, int64_t& value) {
    const auto* field = Field(name);
    if (field == nullptr) return;
    if (field->is_int64()) {
      value = field->get_int64();
    } else {
      Refuse(name);
    }
  }
  void operator()(std::string_view name, bool& value) {
    const auto* field = Field(name);
    if (field == nullptr) return;
    if (field->is_bool()) {
      value = field->get_bool();
    } else {
      Refuse(name);
    }
  }
  void operator()(std::string_view name, std::vector<std::string>& values) {
    const auto* array = ArrayOf(name);
    if (array == nullptr) return;
    for (const auto& element : *array) ReadText(name, element, values.emplace_back());
  }
  void operator()(std::string_view name, std::map<std::string, std::string>& values) {
    const auto* map = MapOf(name);
    if (map == nullptr) return;
    for (const auto& [key, element] : *map) {
      ReadText(name, element, values[std::string(key.data(), key.size())]);
    }
  }
  template <typename Record>
  void operator()(std::string_view name, std::vector<Record>& records) {
    const auto* array = ArrayOf(name);
    if (array == nullptr) return;
    for (const auto& element : *array) {
      if (element.is_object()) {
        Nested(element.get_object(), records.emplace_back());
      } else {
        Refuse(name);
      }
    }
  }
  template <typename Record>
  void operator()(std::string_view name, Record& record) {
    if (const auto* map = MapOf(name)) Nested(*map, record);
  }

  const std::string& wrong_field() const { return wrong_field_; }

 private:
  const boost::json::value* Field(std::string_view name) const {
    return object_.if_contains(boost::json::string_view(name.data(), name.size()));
  }
  const boost::json::array* ArrayOf(std::string_view name) {
    const auto* field = Field(name);
    if (field == nullptr) return nullptr;
    if (!field->is_array()) Refuse(name);
    return field->if_array();
  }
  const boost::json::object* MapOf(std::string_view name) {
    const auto* field = Field(name);
    if (field == nullptr) return nullptr;
    if (!field->is_object()) Refuse(name);
    return field->if_object();
  }
  void ReadText(std::string_view name, const boost::json::value& field, std::string& value) {
    const auto* text = field.if_string();
    if (text != nullptr) {
      value.assign(text->data(), text->size());
    } else {
      Refuse(name);
    }
  }
  template <typename Record>
  void Nested(const boost::json::object& object, Record& record) {
    JsonReader reader(object);
    VisitFields(reader, record);
    if (!reader.wrong_field_.empty()) Refuse(reader.wrong_field_);
  }
  void Refuse(std::string_view name) { wrong_field_ = name; }

  const boost::json::object& object_;
  std::string wrong_field_;
};

template <typename Record>
std::string RecordToJson(const Record& record) {
  Record copy = record;  // visitors are shared with reading, hence not const
  return boost::json::serialize(JsonWriter::ObjectOf(copy));
}

template <typename Record>
Result<Record> RecordFromJson(std::string_view what, std::string_view text) {
  boost::json::error_code failure;
  const boost::json::value parsed =
      boost::json::parse(boost::json::string_view(text.data(), text.size()), failure);
  if (failure || !parsed.is_object()) {
    return Error{fmt::format("the stored {} is not a JSON object", what)};
  }
  Record record;
  JsonReader reader(parsed.get_object());
  VisitFields(reader, record);
  if (!reader.wrong_field().empty()) {
    return Error{
        fmt::format("the stored {} has an unreadable field {}", what, reader.wrong_field())};
  }
  return record;
}

}  // namespace mikura::control
