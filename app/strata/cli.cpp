#include "app/strata/cli.h"

#include <ATen/Parallel.h>

#include <charconv>
#include <cstdlib>
#include <thread>

#include "core/base/files.h"
#include "core/project/checkpoint_manifest.h"
#include "core/text/utf8.h"

namespace strata {
namespace fs = std::filesystem;

std::atomic<bool>& cancelFlag() {
  static std::atomic<bool> flag{false};
  return flag;
}

void ModelOptions::addNameTo(CLI::App& verb) {
  verb.add_option("model", model, "model folder (config.json and safetensors), FILE.gguf, or RUN[@STEP]")
      ->required()
      ->type_name("MODEL");
  verb.add_option("--project", project, "project folder, so that MODEL may be the id of one of its runs")
      ->type_name("DIR");
}

void ModelOptions::addTo(CLI::App& verb, Context withContext) {
  addNameTo(verb);
  addComputeTo(verb, withContext);
}

void ModelOptions::addComputeTo(CLI::App& verb, Context withContext) {
  verb.add_option("--adapter", adapter, "LoRA adapter in PEFT's form")->type_name("DIR");
  verb.add_option("--dtype", dtype, "float32 | bfloat16 (default: as stored)");
  verb.add_option("--weights", weights,
                  "round the weights when they are loaded: int8 | int4, or with the inputs that share a scale int4:64")
      ->type_name("FORMAT");
  verb.add_option("--kv", kv, "keep keys and values in 8 bits: int8 | fp8 (default: the dtype; CPU)")
      ->type_name("FORMAT");
  if (withContext == Context::yes) {
    verb.add_option("--context", context, "tokens that one sequence may hold (default: the model's)")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40));
  }
  verb.add_option("--device", device, "cpu | cuda[:n] | auto");
  verb.add_option("--threads", threads, "CPU threads (default: all cores)")->check(CLI::Range(0, 4096));
}

namespace {
int mostThreads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}  // namespace

void limitThreads(int threads) {
  mostThreads = threads;
}

void setThreads(int threads) {
  const int cores = mostThreads;
  constexpr int kMostPerCore = 4;  // beyond that they only wait for one another
  at::set_num_threads(threads > 0 ? std::min(threads, kMostPerCore * cores) : cores);
}

Result<ModelLocation> locate(const std::string& model, const std::string& project) {
  return locateModel(model, project.empty() ? std::nullopt : std::optional<fs::path>(project));
}

Result<OpenedModel> openModel(const ModelOptions& options, const std::optional<std::string>& onlyMap) {
  setThreads(options.threads);
  OpenedModel opened;
  opened.name = options.model;
  STRATA_TRY(opened.location, locate(options.model, options.project));
  if (!opened.location.adapter.empty() && !options.adapter.empty()) {
    return fail(ErrorCode::usage,
                "The run " + options.model + " is an adapter already; export it and give --adapter with the export.",
                "--adapter");
  }
  OpenOptions open;
  open.path = opened.location.folder;
  open.adapter = options.adapter.empty() ? opened.location.adapter : fs::path(options.adapter);
  if (!open.adapter.empty()) STRATA_CHECK(verifyIfCheckpoint(open.adapter));
  open.dtype = options.dtype;
  open.weights = options.weights;
  open.kv = options.kv;
  open.device = options.device;
  open.context = options.context;
  open.onlyMap = onlyMap;
  STRATA_TRY(opened.model, Model::open(open));
  return opened;
}

Result<std::vector<NamedMap>> chooseMaps(const std::vector<std::string>& texts, const Model& model) {
  std::vector<NamedMap> maps;
  for (const std::string& text : texts) {
    STRATA_TRY(std::vector<NamedMap> some, parseMaps(text, model.config().layers));
    for (NamedMap& map : some) {
      STRATA_CHECK(checkGeometry(map.map, model.config().kvGeometry()));
      maps.push_back(std::move(map));
    }
  }
  if (maps.empty()) maps.push_back({printMap(model.defaultMap()), model.defaultMap()});
  return maps;
}

Result<std::vector<TokenId>> parseIds(const std::string& text) {
  std::string where = "--ids";
  std::string content = text;
  if (text.starts_with("@")) {
    where = text.substr(1);
    STRATA_TRY(content, readFile(where));
  }
  constexpr const char* kSeparators = ", \t\r\n[]";
  std::vector<TokenId> ids;
  for (std::size_t at = content.find_first_not_of(kSeparators); at != std::string::npos;) {
    const std::size_t end = std::min(content.find_first_of(kSeparators, at), content.size());
    TokenId id = 0;
    const auto [stop, error] = std::from_chars(content.data() + at, content.data() + end, id);
    if (error != std::errc() || stop != content.data() + end || id < 0) {
      return fail(ErrorCode::usage,
                  "The ids in " + where + " have \"" + content.substr(at, std::min<std::size_t>(end - at, 40)) +
                      "\" as number " + std::to_string(ids.size() + 1) +
                      ", which is no token id; give whole numbers from 0.",
                  where);
    }
    ids.push_back(id);
    at = content.find_first_not_of(kSeparators, end);
  }
  if (ids.empty()) return fail(ErrorCode::usage, "There are no ids in " + where + "; give at least one.", where);
  return ids;
}

std::string printIds(const std::vector<TokenId>& ids) {
  std::string text;
  for (const TokenId id : ids) {
    if (!text.empty()) text += ',';
    text += std::to_string(id);
  }
  return text;
}

Result<std::string> readUtf8File(const fs::path& path, std::uint64_t maxBytes) {
  STRATA_TRY(std::string text, readFile(path, maxBytes));
  if (const auto at = findInvalidUtf8(text)) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*at), '\n') + 1;
    const std::string where = path.string() + ":" + std::to_string(line);
    return fail(ErrorCode::invalidData, where + ": the text is not UTF-8; convert the file.", where);
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

Result<fs::path> resourceFolder(const std::string& name) {
  std::error_code ignored;
  if (const char* given = std::getenv("STRATA_RESOURCES"); given != nullptr) {
    if (fs::is_directory(fs::path(given) / name, ignored)) return fs::path(given) / name;
  }
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  for (fs::path folder = program.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    for (const char* place : {"resources", "share/strata"}) {
      const fs::path found = folder / place / name;
      if (fs::is_directory(found, ignored)) return found;
    }
  }
  return fail(ErrorCode::notFound,
              "The folder resources/" + name + " was not found beside the program; set STRATA_RESOURCES.", name);
}

}  // namespace strata
