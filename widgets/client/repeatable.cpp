#include "widgets/client/repeatable.h"

#include <QCoreApplication>
#include <algorithm>
#include <array>

#include "core/protocol/messages.h"

namespace strata {
namespace {

// Not here: what makes something new each time (chat/generate, jobs/start, models/export, project/add_model), and what
// may have been the very thing that used up the memory (models/load).
constexpr std::array<std::string_view, 31> kRepeatable = {
    protocol::ListFolder::kName,     protocol::OpenProject::kName,      protocol::SetSides::kName,
    protocol::ListModels::kName,     protocol::InspectModel::kName,     protocol::EstimateMemory::kName,
    protocol::UnloadModel::kName,    protocol::Compare::kName,          protocol::ListChats::kName,
    protocol::OpenChat::kName,       protocol::PutChat::kName,          protocol::ExportChat::kName,
    protocol::SampleQuestion::kName, protocol::CheckData::kName,        protocol::ListData::kName,
    protocol::ListJobs::kName,       protocol::StopJob::kName,          protocol::ReadLog::kName,
    protocol::WatchJob::kName,       protocol::RemoveChat::kName,       protocol::CountPrompt::kName,
    protocol::ReadSeries::kName,     protocol::ReadJobConfig::kName,    protocol::ReadAnswers::kName,
    protocol::ReadEvents::kName,     protocol::ListTrainPresets::kName, protocol::EstimateTraining::kName,
    protocol::ProbeTraining::kName,  protocol::AnnotateJob::kName,      protocol::AddData::kName,
    protocol::ReadBorrowed::kName,
};

struct Phrase {
  std::string_view method;
  const char* words;
};
constexpr std::array<Phrase, 12> kPhrases = {{
    {protocol::Generate::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "answering")},
    {protocol::Compare::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "comparing the two sides")},
    {protocol::LoadModel::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "opening a model")},
    {protocol::ExportModel::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "exporting a model")},
    {protocol::InspectModel::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "reading a model's card")},
    {protocol::CheckData::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "reading a data set")},
    {protocol::StartJob::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "starting a job")},
    {protocol::AddModel::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "naming a model")},
    {protocol::StartServing::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "beginning to serve")},
    {protocol::OpenProject::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "opening the project")},
    {protocol::PutFile::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "taking an upload")},
    {protocol::SetTemplate::kName, QT_TRANSLATE_NOOP("strata::EngineClient", "storing a chat template")},
}};

}  // namespace

bool isRepeatable(std::string_view method) {
  return std::find(kRepeatable.begin(), kRepeatable.end(), method) != kRepeatable.end();
}

QString doing(std::string_view method) {
  const auto* found =
      std::find_if(kPhrases.begin(), kPhrases.end(), [&](const Phrase& phrase) { return phrase.method == method; });
  if (found != kPhrases.end()) return QCoreApplication::translate("strata::EngineClient", found->words);
  return QCoreApplication::translate("strata::EngineClient", "working on %1")
      .arg(QString::fromUtf8(method.data(), static_cast<qsizetype>(method.size())));
}

}  // namespace strata
