#include "core/service/open_models.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <span>

#include "core/base/files.h"
#include "core/model/chat_prompt.h"
#include "core/project/checkpoint_manifest.h"
#include "core/project/model_name.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

tl::unexpected<Error> cancelledLoading() {
  return fail(ErrorCode::cancelled, "Loading the model was cancelled.");
}

/// The template that the model answers by, or why it cannot.
Result<ChatTemplate> chatTemplateOf(const Model& model, const ModelLocation& location) {
  STRATA_CHECK(model.needTokenizer());
  return ChatTemplate::open(location.folder, location.chatTemplate);
}

constexpr std::string_view kLatest = "@latest";

bool isLatest(const std::string& model) {
  return model.size() > kLatest.size() && model.ends_with(kLatest);
}

/// Of RUN@latest the name of the checkpoint that it means: RUN@STEP.
std::string pinnedName(const std::string& model, const ModelLocation& location) {
  if (!isLatest(model) || location.run.empty()) return model;
  const std::string checkpoint = (location.adapter.empty() ? location.folder : location.adapter).filename();  // step-N
  return model.substr(0, model.size() - kLatest.size()) + "@" + checkpoint.substr(checkpoint.rfind('-') + 1);
}

std::string nameOf(const std::string& text) {
  const fs::path path(text);
  if (!path.has_parent_path()) return text;
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

}  // namespace

const std::string& OpenModel::vocabulary() const {
  std::call_once(m_once, [this] {
    std::string all;
    const Tokenizer* tokenizer = model->tokenizer();
    for (TokenId id = 0; tokenizer != nullptr && id < tokenizer->vocabSize(); ++id) {
      const Result<std::string> piece = tokenizer->decode({id});
      all += piece ? *piece : "?";
      all += '\0';
    }
    m_vocabulary = sha256(std::as_bytes(std::span(all.data(), all.size())));
  });
  return m_vocabulary;
}

void OpenModels::setProject(const std::optional<fs::path>& folder) {
  const std::lock_guard lock(m_mutex);
  m_project = folder;
}

Result<ModelLocation> OpenModels::locate(const protocol::ModelRef& ref, Locate how) const {
  std::unique_lock lock(m_mutex);
  const std::optional<fs::path> project = m_project;
  lock.unlock();
  return locateModel(ref.model, project, how);
}

Result<OpenOptions> OpenModels::optionsOf(const protocol::ModelRef& ref, const ModelLocation& location) {
  if (!location.adapter.empty() && !ref.adapter.empty()) {
    return fail(ErrorCode::usage, "The run " + ref.model + " is an adapter already and takes no other; export it.",
                ref.adapter);
  }
  OpenOptions options;
  options.path = fs::absolute(location.folder).lexically_normal();
  if (!location.adapter.empty()) options.adapter = fs::absolute(location.adapter).lexically_normal();
  if (!ref.adapter.empty()) options.adapter = fs::absolute(ref.adapter).lexically_normal();
  options.dtype = ref.dtype;
  options.weights = ref.weights;
  options.kv = ref.kv;
  options.device = ref.device;
  options.context = ref.context;
  return options;
}

/// An open model with the weights that this one would read again; its cache may be of another format.
std::shared_ptr<OpenModel> OpenModels::sameFiles(const protocol::ModelRef& ref, const OpenOptions& options) const {
  const std::lock_guard lock(m_mutex);
  for (const auto& slot : m_slots) {
    if (!slot->model || slot->model->folder != options.path || slot->model->adapter != options.adapter) continue;
    const protocol::ModelRef& other = slot->ref;
    if (other.dtype == ref.dtype && other.weights == ref.weights && other.device == ref.device &&
        other.context == ref.context && (other.kv == ref.kv || slot->model->model->device().is_cpu()) &&
        slot->model->model->checkFiles()) {
      return slot->model;
    }
  }
  return nullptr;
}

Result<std::shared_ptr<OpenModel>> OpenModels::load(const protocol::ModelRef& ref,
                                                    const ModelHost::ProgressFunction& progress,
                                                    const std::atomic<bool>& cancelled) {
  const auto begun = std::chrono::steady_clock::now();
  const auto tell = [&](const char* stage, std::int64_t done, std::int64_t total) {
    if (progress) progress(stage, done, total);
  };
  tell("Opening the model", 0, 0);
  STRATA_TRY(const ModelLocation location, locate(ref, Locate::verified));
  STRATA_TRY(const OpenOptions options, optionsOf(ref, location));
  if (!options.adapter.empty()) STRATA_CHECK(verifyIfCheckpoint(options.adapter));
  auto open = std::make_shared<OpenModel>();
  open->folder = options.path;
  open->adapter = options.adapter;
  if (const auto other = sameFiles(ref, options)) {
    STRATA_TRY(const KvFormat kv, parseKvFormat(ref.kv));
    open->model = other->model->kvFormat() == kv ? other->model : other->model->withKv(kv);
    open->info.hash = other->info.hash;  // of what is in memory, whatever has become of the files
  } else {
    STRATA_TRY(open->model, Model::open(options));
    if (cancelled) return cancelledLoading();
    const auto hashed = [&](std::int64_t done, std::int64_t total) { tell("Reading the weights", done, total); };
    STRATA_TRY(open->info.hash, m_hashes.of(*open->model->checkpoint(), options.adapter, &cancelled, hashed));
    STRATA_CHECK(open->model->checkFiles());  // or the hash is not that of what is in memory
    for (const MappedFile* file : open->model->checkpoint()->files()) file->releasePages();
  }
  const Model& model = *open->model;
  if (cancelled) return cancelledLoading();
  open->setChatTemplate(chatTemplateOf(model, location));
  open->info.ref = ref;
  open->name = pinnedName(ref.model, location);
  open->info.name = nameOf(ref.model);
  open->info.dtype = configName(fromTorch(model.dtype()));
  open->info.device = model.device().str();
  open->info.weightBytes = strata::weightBytes(model.weights(), model.config().tied);
  open->info.context = model.context();
  open->info.layers = model.config().layers;
  open->info.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return open;
}

Result<std::shared_ptr<OpenModel>> OpenModels::open(const protocol::ModelRef& ref,
                                                    const ModelHost::ProgressFunction& progress,
                                                    const std::atomic<bool>& cancelled,
                                                    std::shared_ptr<OpenModel>& before) {
  constexpr auto kLook = std::chrono::milliseconds(20);  // at `cancelled`
  std::unique_lock lock(m_mutex);
  std::shared_ptr<Slot> mine;
  while (!mine) {
    const auto found = std::find_if(m_slots.begin(), m_slots.end(), [&](const auto& slot) { return slot->ref == ref; });
    if (found == m_slots.end()) {
      mine = m_slots.emplace_back(std::make_shared<Slot>(Slot{ref}));
    } else if (const std::shared_ptr<OpenModel> there = (*found)->model) {
      if (!isLatest(ref.model)) return there;
      lock.unlock();
      const bool current = isCurrent(*there);
      lock.lock();
      if (current) return there;
      const auto own = [&](const auto& slot) { return slot->model == there && slot->ref == ref; };
      if (m_slots.remove_if(own) == 0) continue;  // another call was first
      there->replaced = true;
      before = there;
    } else {
      if (cancelled) return cancelledLoading();
      m_changed.wait_for(lock, kLook);
    }
  }
  lock.unlock();
  Result<std::shared_ptr<OpenModel>> loaded = cancelledLoading();
  try {
    loaded = load(ref, progress, cancelled);
  } catch (const std::exception& exception) {
    loaded = tl::unexpected(errorFromException(exception));
  }
  lock.lock();
  if (loaded && mine->dropped) loaded = cancelledLoading();
  if (loaded) {
    mine->model = *loaded;
  } else {
    m_slots.remove(mine);
  }
  m_changed.notify_all();
  return loaded;
}

std::shared_ptr<OpenModel> OpenModels::close(const protocol::ModelRef& ref) {
  const std::lock_guard lock(m_mutex);
  const auto found = std::find_if(m_slots.begin(), m_slots.end(), [&](const auto& slot) { return slot->ref == ref; });
  if (found == m_slots.end()) return nullptr;
  if (!(*found)->model) {
    (*found)->dropped = true;
    return nullptr;
  }
  std::shared_ptr<OpenModel> model = (*found)->model;
  model->closing = true;
  m_slots.erase(found);
  return model;
}

std::vector<std::shared_ptr<OpenModel>> OpenModels::all() const {
  const std::lock_guard lock(m_mutex);
  std::vector<std::shared_ptr<OpenModel>> open;
  for (const auto& slot : m_slots) {
    if (slot->model) open.push_back(slot->model);
  }
  return open;
}

void OpenModels::renewTemplates() {
  for (const auto& model : all()) {
    const Result<ModelLocation> place = locate(model->info.ref, Locate::place);
    if (place) model->setChatTemplate(chatTemplateOf(*model->model, *place));
  }
}

bool OpenModels::isCurrent(const OpenModel& model) const {
  const Result<ModelLocation> place = locate(model.info.ref, Locate::place);
  const Result<OpenOptions> now = place ? optionsOf(model.info.ref, *place) : tl::unexpected(place.error());
  return now && now->path == model.folder && now->adapter == model.adapter;
}

std::vector<protocol::ModelRef> OpenModels::strangers() const {
  std::vector<protocol::ModelRef> strange;
  for (const auto& model : all()) {
    if (!isCurrent(*model)) strange.push_back(model->info.ref);
  }
  return strange;
}

std::vector<protocol::LoadedModel> OpenModels::loaded() const {
  std::vector<protocol::LoadedModel> loaded;
  for (const auto& model : all()) loaded.push_back(model->info);
  return loaded;
}

std::vector<protocol::ModelMemory> OpenModels::memory() const {
  std::vector<protocol::ModelMemory> memory;
  for (const auto& model : all()) {
    memory.push_back({model->info.ref, model->info.weightBytes, model->activationsPeak(), {}});
  }
  return memory;
}

std::int64_t OpenModels::weightBytes() const {
  const std::lock_guard lock(m_mutex);
  std::set<const void*> counted;
  std::int64_t bytes = 0;
  for (const auto& slot : m_slots) {
    if (!slot->model) continue;
    const void* weights = slot->model->model->weights().embedding.const_data_ptr();  // shared by formats of the cache
    if (counted.insert(weights).second) bytes += slot->model->info.weightBytes;
  }
  return bytes;
}

}  // namespace strata
