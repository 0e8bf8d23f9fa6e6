// strata export: a stock Hugging Face folder with its map, from a model, a model with an adapter, or a run.

#include "app/strata/cli.h"
#include "core/service/exporting.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

Result<int> run(const ExportRequest& request, const std::string& projectFolder, const Output& out) {
  const std::optional<fs::path> project =
      projectFolder.empty() ? std::optional<fs::path>() : std::optional<fs::path>(projectFolder);
  STRATA_TRY(const Exported done, exportTo(request, project, 0, cancelFlag()));
  const std::string folder = done.folder.string();
  out.answer({{"out", folder},
              {"map", done.mapName},
              {"src", done.map.src()},
              {"retention", done.map.retention()},
              {"original", done.original.string()},
              {"merged_adapter", done.merged}},
             "exported to " + folder + " with the map " + done.mapName);
  return 0;
}

}  // namespace

VerbAction addExport(CLI::App& verb, const Output& out) {
  auto model = std::make_shared<ModelOptions>();
  auto request = std::make_shared<ExportRequest>();
  auto folder = std::make_shared<std::string>();
  model->addNameTo(verb);
  verb.add_option("out", *folder, "folder to write; it must not exist or be empty")->required()->type_name("OUT");
  verb.add_option("--map", request->map, "the map that the export carries (default: the model's own, else full)");
  verb.add_option("--adapter", request->adapter, "LoRA adapter to merge in")->type_name("DIR");
  verb.add_option("--dtype", request->dtype, "float32 | bfloat16 of the weights (default: as they came)");
  verb.add_option("--card", request->card, "make README.md a model card from this report")->type_name("REPORT.json");
  verb.add_flag("--remote-code", request->remoteCode,
                "write modeling_strata.py, with which transformers follows the map (trust_remote_code=True)");
  verb.add_flag("--adapter-alone", request->adapterAlone,
                "write the adapter and how to serve it under the map, without the model");
  return [model, request, folder, &out] {
    ExportRequest whole = *request;
    whole.model = model->model;
    whole.out = *folder;
    return run(whole, model->project, out);
  };
}

}  // namespace strata
