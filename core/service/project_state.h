#pragma once
// What the methods of a ProjectService share: the project that is open. Held by each call that uses it, so that opening
// another does not pull it away.

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "core/project/chat_store.h"
#include "core/project/project.h"
#include "core/service/job_board.h"
#include "core/service/methods.h"

namespace strata {

class HeldProject {
 public:
  HeldProject(std::filesystem::path folder, ProjectLock lock, ChatStore::Opened chats, JobBoard::Options jobs,
              const Notifier& notify)
      : m_folder(std::move(folder)),
        m_lock(std::move(lock)),
        m_notice(std::move(chats.notice)),
        m_chats(std::move(chats.store)),
        m_jobs(std::move(jobs), notify.whileOpen(m_tells)) {}

  const std::filesystem::path& folder() const { return m_folder; }
  const std::string& notice() const { return m_notice; }
  JobBoard& jobs() { return m_jobs; }
  /// Whether what its runs do is told of: not while another project is the open one.
  void setTells(bool tells) { *m_tells = tells; }
  /// One call at a time.
  template <class Call>
  auto withChats(Call call) {
    const std::lock_guard guard(m_chatsMutex);
    return call(m_chats);
  }
  /// strata.json is changed by one request at a time.
  std::mutex& fileMutex() { return m_fileMutex; }

 private:
  std::filesystem::path m_folder;
  ProjectLock m_lock;
  std::string m_notice;
  std::mutex m_chatsMutex, m_fileMutex;
  ChatStore m_chats;
  std::shared_ptr<std::atomic<bool>> m_tells = std::make_shared<std::atomic<bool>>(true);
  JobBoard m_jobs;
};

/// The open project, or the sentence that none is.
using ProjectAccess = std::function<Result<std::shared_ptr<HeldProject>>()>;

void addChatMethods(MethodTable& methods, const ProjectAccess& project);
void addDataMethods(MethodTable& methods, const ProjectAccess& project);
void addJobMethods(MethodTable& methods, const ProjectAccess& project);
void addTrainMethods(MethodTable& methods, const ProjectAccess& project, const std::filesystem::path& program,
                     const std::filesystem::path& presets);
void addMapMethods(MethodTable& methods, const ProjectAccess& project);
void addEvaluationMethods(MethodTable& methods, const ProjectAccess& project);

/// files/list.
Result<protocol::ListFolder::Answer> listFolder(const std::string& path);
/// files/put, into `project`/uploads.
Result<protocol::PutFile::Answer> putFile(const protocol::PutFile::Params& params,
                                          const std::filesystem::path& project);

}  // namespace strata
