#pragma once
// Every message between window and engine, in one list: dispatch, the schema and its documentation follow it.
//
//   protocol::forEachMethod([&]<class M>() { table[M::kName] = …; });

#include <string>
#include <tuple>

#include "core/protocol/chat_messages.h"
#include "core/protocol/data_messages.h"
#include "core/protocol/engine_messages.h"
#include "core/protocol/evaluation_messages.h"
#include "core/protocol/job_messages.h"
#include "core/protocol/map_messages.h"
#include "core/protocol/model_messages.h"
#include "core/protocol/search_messages.h"
#include "core/protocol/serve_messages.h"
#include "core/protocol/train_messages.h"

namespace strata::protocol {

/// Requests of the window, answered by the engine.
using Methods =
    std::tuple<Initialize, Shutdown, Cancel, ListFolder, PutFile, OpenProject, SetSides, SetLauncher, AddModel,
               RemoveModel, SetTemplate, ListModels, InspectModel, EstimateMemory, ExportModel, LoadModel, UnloadModel,
               Generate, CountPrompt, Compare, SampleQuestion, ListChats, OpenChat, PutChat, RemoveChat, ExportChat,
               CheckData, ListData, AddData, RemoveData, ListMaps, PutMap, RenameMap, RemoveMap, ImportMap, ExportMap,
               ReadSensitivity, ReadSearch, ReadEvaluation, CompareEvaluations, ListSamples, ReadSample, AnnotateSample,
               ReadEvaluationMatrix, PlanEvaluation, WriteReport, ListReports, ReadReport, RemoveReport, ListJobs,
               StartJob, StopJob, MoveJob, PauseQueue, RemoveJob, AnnotateJob, ReadLog, ReadJobConfig, ExportJob,
               ReadSeries, ReadAnswers, ReadBorrowed, ReadEvents, WatchJob, ListTrainPresets, EstimateTraining,
               ProbeTraining, StartServing, StopServing>;

/// What the engine sends of its own accord.
using Notifications = std::tuple<Progress, Memory, ModelsLoaded, Tokens, JobsChanged, JobPoints, ServeChanged>;

template <class List, class F>
void forEachType(F&& call) {
  [&]<class... T>(std::tuple<T...>*) { (call.template operator()<T>(), ...); }(static_cast<List*>(nullptr));
}
template <class F>
void forEachMethod(F&& call) {
  forEachType<Methods>(call);
}
template <class F>
void forEachNotification(F&& call) {
  forEachType<Notifications>(call);
}

/// Markdown of all messages: core/protocol/README.md holds it, and a test keeps the two equal.
std::string describeMessages();

}  // namespace strata::protocol
