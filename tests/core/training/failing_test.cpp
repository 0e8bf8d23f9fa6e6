// Memory, disk and arithmetic that fail while a run trains: it keeps what is good, says why, and can go on.

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "core/checkpoint/safetensors.h"
#include "core/project/database.h"
#include "core/project/project_files.h"
#include "core/training/run_setup.h"
#include "job_fixture.h"
#include "test_disk.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

/// The allocator of tensors, which fails once where a test wants it.
class ScarceMemory final : public c10::Allocator {
 public:
  ScarceMemory() : m_real(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, kPriority); }
  ~ScarceMemory() override { c10::SetCPUAllocator(m_real, kPriority); }
  /// The allocation after this many fails.
  void failAfter(int allocations) { m_left = allocations; }

  c10::DataPtr allocate(std::size_t bytes) override {
    const bool fails = m_left == 0;
    if (m_left >= 0) --m_left;
    TORCH_CHECK_WITH(OutOfMemoryError, !fails, "out of memory");
    return m_real->allocate(bytes);
  }
  c10::DeleterFnPtr raw_deleter() const override { return m_real->raw_deleter(); }
  void copy_data(void* destination, const void* source, std::size_t bytes) const override {
    m_real->copy_data(destination, source, bytes);
  }

 private:
  static constexpr std::uint8_t kPriority = 200;
  c10::Allocator* m_real;
  int m_left = -1;
};

class Failing : public TrainJob {
 protected:
  static Json stateOf(const fs::path& run, std::int64_t step) {
    return readJson(checkpointFolder(run, step) / "state.json").value();
  }
  static std::vector<std::string> events(const fs::path& run, const std::string& kind) {
    const Database database = Database::open(inRun(run, "run.sqlite"), Database::Mode::read).value();
    Statement query(database, "SELECT text FROM events WHERE kind = ? ORDER BY id");
    query.bind(1, kind);
    std::vector<std::string> texts;
    while (query.step() == SQLITE_ROW) texts.push_back(query.text(0));
    return texts;
  }
  static void expectPaused(const Result<TrainAnswer>& answer, ErrorCode code, std::int64_t steps) {
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->state, RunState::paused);
    ASSERT_TRUE(answer->problem);
    EXPECT_EQ(answer->problem->code, code) << answer->problem->message;
    EXPECT_EQ(answer->steps, steps);
    const RunInfo stored = readRun(answer->folder).value();
    EXPECT_EQ(stored.state, RunState::paused);
    EXPECT_EQ(stored.message, answer->problem->message);
    EXPECT_NE(stored.message.find("Resume"), std::string::npos) << stored.message;
  }
  /// Memory fails in the step after `steps` of them.
  TrainHooks scarceAfter(ScarceMemory& memory, std::int64_t steps) {
    TrainHooks hooks;
    hooks.onStart = [&memory, steps](const RunInfo&, std::int64_t first, std::int64_t) {
      if (first == steps) memory.failAfter(40);
    };
    hooks.onStep = [&memory, steps](const StepResult& result) {
      if (result.step + 1 == steps) memory.failAfter(40);
    };
    return hooks;
  }
};

TEST_F(Failing, OutOfMemoryKeepsTheLastGoodStepAndTheNextTryDrawsOtherRoutings) {
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  ScarceMemory memory;
  auto paused = startTraining(project(), m_config, scarceAfter(memory, 3));
  expectPaused(paused, ErrorCode::outOfMemory, 3);
  EXPECT_EQ(checkpointSteps(paused->folder), std::vector<std::int64_t>{3});
  EXPECT_EQ(stateOf(paused->folder, 3)["attempt"], 1);
  EXPECT_EQ(stateOf(paused->folder, 3)["cursor_row"], 12) << "the sequences were not to blame";

  // It fails at the same step again: the same checkpoint, one attempt later.
  paused = resumeTraining(paused->folder, {}, scarceAfter(memory, 3));
  expectPaused(paused, ErrorCode::outOfMemory, 3);
  EXPECT_EQ(stateOf(paused->folder, 3)["attempt"], 2);
  EXPECT_TRUE(verifyCheckpoint(paused->checkpoint));

  const auto resumed = resumeTraining(paused->folder, {}, {});
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_EQ(resumed->state, RunState::done);
  ASSERT_EQ(resumed->loss.size(), 8U);
  for (std::size_t step = 0; step < 3; ++step) EXPECT_EQ(resumed->loss[step], whole->loss[step]);
  EXPECT_NE(resumed->loss[3], whole->loss[3]);
  EXPECT_EQ(stateOf(resumed->folder, 8)["attempt"], 0);
  ASSERT_EQ(events(resumed->folder, "redrawn").size(), 2U);
  EXPECT_NE(events(resumed->folder, "redrawn").back().find("attempt 2"), std::string::npos);
}

TEST_F(Failing, AScriptOfRoutingsIsReplayedWhateverFailed) {
  Json script = Json::array();
  for (int step = 0; step < m_config.steps; ++step) script.push_back({{0, 0, step % 3, 1, 2}});
  m_config.routings = m_folder.path() / "routings.json";
  writeText(m_config.routings, script.dump());
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  ScarceMemory memory;
  const auto paused = startTraining(project(), m_config, scarceAfter(memory, 3));
  expectPaused(paused, ErrorCode::outOfMemory, 3);
  EXPECT_EQ(stateOf(paused->folder, 3)["attempt"], 0);
  const auto resumed = resumeTraining(paused->folder, {}, {});
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_EQ(resumed->loss, whole->loss);
  EXPECT_EQ(weightsOf(*resumed), weightsOf(*whole));
}

TEST_F(Failing, OnAFullDiskTheLastCheckpointStands) {
  m_config.saveEvery = 2;
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  Result<TrainAnswer> paused = tl::unexpected(Error());
  {
    std::size_t room = std::size_t{3} << 20;  // for less than a second checkpoint
    const OnWrite full([&](const std::string& path, std::size_t bytes) {
      if (path.find("step-4") == std::string::npos) return 0;
      if (bytes > room) return ENOSPC;
      room -= bytes;
      return 0;
    });
    paused = startTraining(project(), m_config, {});
  }
  expectPaused(paused, ErrorCode::diskFull, 4);
  EXPECT_EQ(checkpointSteps(paused->folder), std::vector<std::int64_t>{2});
  EXPECT_TRUE(verifyCheckpoint(checkpointFolder(paused->folder, 2)));
  EXPECT_EQ(paused->checkpoint, checkpointFolder(paused->folder, 2));
  const auto resumed = resumeTraining(paused->folder, {}, {});
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_EQ(resumed->state, RunState::done);
  EXPECT_EQ(resumed->loss, whole->loss);
  EXPECT_EQ(weightsOf(*resumed), weightsOf(*whole));
}

TEST_F(Failing, AFullDiskBeforeTheFirstCheckpointIsSaidToo) {
  const OnWrite full([](const std::string& path, std::size_t) { return isInCheckpoint(path) ? ENOSPC : 0; });
  const auto paused = startTraining(project(), m_config, {});
  expectPaused(paused, ErrorCode::diskFull, 8);
  EXPECT_TRUE(paused->checkpoint.empty());
  EXPECT_NE(paused->problem->message.find("begin again"), std::string::npos) << paused->problem->message;
}

TEST_F(Failing, ALossThatIsNotFiniteThreeTimesInARowPausesTheRun) {
  m_config.steps = 200;
  m_config.lr = 10;
  m_config.weightDecay = 10;  // weights grow a hundredfold a step
  m_config.clip = 0;
  m_config.schedule = "constant";
  auto paused = startTraining(project(), m_config, {});
  ASSERT_TRUE(paused) << paused.error().message;
  const std::int64_t steps = paused->steps;
  EXPECT_GT(steps, 0);
  EXPECT_LT(steps, 200);
  expectPaused(paused, ErrorCode::invalidData, steps);
  EXPECT_NE(paused->problem->message.find("3 times in a row at step " + std::to_string(steps + 1)), std::string::npos)
      << paused->problem->message;
  EXPECT_EQ(events(paused->folder, "skipped").size(), 2U);
  EXPECT_EQ(paused->loss.size(), static_cast<std::size_t>(steps));
  ASSERT_EQ(checkpointSteps(paused->folder).back(), steps);
  EXPECT_EQ(stateOf(paused->folder, steps)["attempt"], 3);
  EXPECT_EQ(stateOf(paused->folder, steps)["cursor_row"], 4 * (steps + 3)) << "their sequences are left out";
  paused = resumeTraining(paused->folder, {}, {});
  expectPaused(paused, ErrorCode::invalidData, steps);
  EXPECT_EQ(stateOf(paused->folder, steps)["attempt"], 6) << "a resume does not walk into the same step the same way";
}

class FailingOnce : public Failing {
 protected:
  /// A LoRA over a model in which one id's embedding is infinite: the step that reads it has no finite loss.
  void SetUp() override {
    Failing::SetUp();
    std::string text;
    for (int i = 0; i < 200; ++i) {
      text += "Tom had a red ball number " + std::to_string(i * 37 % 101) + ". ";
      text += i % 8 == 0 ? std::string("He saw the letter ") + static_cast<char>('A' + i / 8) + " twice.\n"
                         : std::string("He liked to play.\n");
    }
    writeText(m_config.data, text);
    m_config.lora = 2;
    const RunSetup setup = prepareRun(m_config).value();
    m_firstBad = stepOfARareId(*setup.data);
    poison();
  }
  /// The step that alone reads some id, which becomes m_id.
  std::int64_t stepOfARareId(const Dataset& data) {
    std::map<TokenId, std::set<std::int64_t>> steps;
    SequenceReader reader(data, m_config.seed, {}, m_config.packWindow);
    for (std::int64_t i = 0; i < 12 * m_config.batch; ++i) {
      const PackedSequence sequence = reader.next();
      for (const TokenId id : sequence.ids) steps[id].insert(i / m_config.batch);
    }
    for (const auto& [id, readBy] : steps) {
      const std::int64_t step = *readBy.begin();
      if (readBy.size() > 1 || step < 2 || step >= m_config.steps) continue;
      m_id = id;
      return step;
    }
    ADD_FAILURE() << "no id is read by one step alone";
    return 0;
  }
  void poison() {
    const fs::path source = m_config.model, folder = m_folder.path() / "poisoned";
    fs::copy(source, folder);
    Json config = readJson(source / "config.json").value();
    config["tie_word_embeddings"] = false;  // the head is a copy, and finite
    writeText(folder / "config.json", config.dump());
    const TensorMap tensors = readSafetensors(source / "model.safetensors").value();
    const TensorView& embedding = tensors.at("model.embed_tokens.weight");
    std::vector<std::byte> bytes(embedding.bytes.begin(), embedding.bytes.end());
    ASSERT_EQ(embedding.dtype, DType::f32);
    const auto width = static_cast<std::size_t>(embedding.shape[1]);
    const std::vector<float> infinite(width, std::numeric_limits<float>::infinity());
    std::memcpy(bytes.data() + static_cast<std::size_t>(m_id) * width * sizeof(float), infinite.data(),
                width * sizeof(float));
    std::vector<TensorToWrite> all;
    for (const auto& [name, view] : tensors) {
      const bool isEmbedding = name == "model.embed_tokens.weight";
      if (name == "lm_head.weight") continue;
      all.push_back({name, view.dtype, view.shape, isEmbedding ? std::span<const std::byte>(bytes) : view.bytes});
    }
    all.push_back({"lm_head.weight", embedding.dtype, embedding.shape, embedding.bytes});
    ASSERT_TRUE(writeSafetensors(folder / "model.safetensors", all));
    m_config.model = folder;
  }

  TokenId m_id = 0;
  std::int64_t m_firstBad = 0;
};

TEST_F(FailingOnce, AStepWithoutAFiniteLossIsTriedWithTheNextSequences) {
  const auto answer = startTraining(project(), m_config, {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->state, RunState::done);
  ASSERT_EQ(answer->loss.size(), 8U);
  for (const double loss : answer->loss) EXPECT_TRUE(std::isfinite(loss));
  const auto skipped = events(answer->folder, "skipped");
  ASSERT_EQ(skipped.size(), 1U);
  EXPECT_NE(skipped[0].find("step " + std::to_string(m_firstBad + 1)), std::string::npos) << skipped[0];
  EXPECT_NE(skipped[0].find("other routings (attempt 1)"), std::string::npos) << skipped[0];
  EXPECT_EQ(stateOf(answer->folder, 8)["cursor_row"], 4 * 9);
  EXPECT_EQ(stateOf(answer->folder, 8)["attempt"], 0);
}

TEST_F(FailingOnce, ARunCutBeforeOrAfterSuchAStepIsBitEqualToAnUninterruptedOne) {
  const auto whole = startTraining(project(), m_config, {});
  ASSERT_TRUE(whole) << whole.error().message;
  for (const std::int64_t steps : {m_firstBad, m_firstBad + 1}) {
    const auto cut = startTraining(project(), m_config, stopAfter(steps));
    ASSERT_TRUE(cut) << cut.error().message;
    const auto resumed = resumeTraining(cut->folder, {}, {});
    ASSERT_TRUE(resumed) << resumed.error().message;
    EXPECT_EQ(resumed->loss, whole->loss);
    EXPECT_EQ(weightsOf(*resumed), weightsOf(*whole));
  }
}

}  // namespace
}  // namespace strata::testing
