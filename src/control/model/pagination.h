// SPDX-License-Identifier: Apache-2.0
// Pages of a sorted list. The token that leads to the next page is the key of the last element of
// this one, so that elements added or deleted meanwhile neither repeat nor hide others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/api_error.h"

namespace mikura::control {

// Opaque text for `key`, and back; nullopt when the text is no token of ours.
std::string PageToken(std::string_view key);
std::optional<std::string> KeyOfPageToken(std::string_view token);

// `wanted` when it lies in [min, max]; max when it is absent.
// Errors: kInvalidParameterValue, naming `parameter`.
ApiResult<size_t> PageSize(std::optional<int32_t> wanted, int32_t min, int32_t max,
                           std::string_view parameter);

template <typename T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> next_token;  // absent: this is the last page
};

// The first `size` elements after `token`. items: sorted by key_of, each key once.
// Returns: nullopt when the token is not one of ours.
template <typename T, typename KeyOf>
std::optional<Page<T>> Paginate(std::vector<T> items, KeyOf key_of,
                                const std::optional<std::string>& token, size_t size) {
  std::optional<std::string> after;
  if (token) {
    after = KeyOfPageToken(*token);
    if (!after) return std::nullopt;
  }
  Page<T> page;
  for (T& item : items) {
    if (after && !(*after < key_of(item))) continue;
    if (page.items.size() == size) {
      page.next_token = PageToken(key_of(page.items.back()));
      break;
    }
    page.items.push_back(std::move(item));
  }
  return page;
}

}  // namespace mikura::control
