#pragma once
// What sensitivity measurements and searches of the project found, in the protocol's form. Reads the runs' files,
// whatever their processes write meanwhile. Any thread.

#include <map>
#include <mutex>
#include <string>

#include "core/base/error.h"
#include "core/project/model_name.h"
#include "core/protocol/search_messages.h"
#include "core/service/model_hash.h"
#include "core/service/project_state.h"

namespace strata {

class SearchReading {
 public:
  Result<protocol::ReadSensitivity::Answer> sensitivity(HeldProject& project,
                                                        const protocol::ReadSensitivity::Params& params);
  static Result<protocol::ReadSearch::Answer> search(HeldProject& project, const protocol::ReadSearch::Params& params);

 private:
  /// Why the matrix no longer holds; empty: it does.
  std::string staleness(const ModelLocation& model, const std::string& adapter, const Json& matrix);
  Result<std::string> hashOfText(const std::string& path);

  ModelHashes m_models;
  std::mutex m_mutex;
  std::map<std::string, std::string> m_texts;  // hashes, by path, size and time
};

}  // namespace strata
