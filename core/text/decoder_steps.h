#pragma once
// The steps that decoders are made of; see decoder.h.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/text/decoder.h"
#include "core/text/pattern.h"

namespace strata {

class DecoderStep : public DecoderSink {
 public:
  explicit DecoderStep(DecoderSink& out) : m_out(out) {}
  void text(std::string_view fragment) override { m_out.text(fragment); }
  void endToken() override { m_out.endToken(); }
  void finish() override { m_out.finish(); }

 protected:
  DecoderSink& m_out;
};

/// Waits for whole tokens.
class WholeTokenStep : public DecoderStep {
 public:
  using DecoderStep::DecoderStep;
  void text(std::string_view fragment) final { m_token += fragment; }
  void endToken() final;

 protected:
  virtual void token(std::string token) = 0;
  void give(std::string_view token);

 private:
  std::string m_token;
};

/// All tokens' bytes as one text; U+FFFD for what is no UTF-8.
class ByteLevelStep final : public WholeTokenStep {
 public:
  using WholeTokenStep::WholeTokenStep;
  void finish() override;

 private:
  void token(std::string token) override;
  void drain(bool all);
  std::string m_bytes;
};

/// Runs of "<0x0A>" tokens become text, each run its own.
class ByteFallbackStep final : public WholeTokenStep {
 public:
  ByteFallbackStep(DecoderSink& out, ByteRuns runs) : WholeTokenStep(out), m_runs(runs) {}
  void finish() override;

 private:
  void token(std::string token) override;
  void endRun();
  ByteRuns m_runs;
  std::string m_bytes;  // of the run that nothing has ended yet
};

/// One token of all.
class FuseStep final : public DecoderStep {
 public:
  using DecoderStep::DecoderStep;
  void endToken() override {}
  void finish() override;
};

/// The replacement becomes a space; in the first token it goes.
class MetaspaceStep final : public DecoderStep {
 public:
  MetaspaceStep(DecoderSink& out, char32_t replacement, bool dropsFirst);
  void text(std::string_view fragment) override;
  void endToken() override;

 private:
  std::string m_replacement;
  bool m_drops;
};

class ReplaceStringStep final : public DecoderStep {
 public:
  ReplaceStringStep(DecoderSink& out, std::string pattern, std::string content);
  void text(std::string_view fragment) override;
  void endToken() override;

 private:
  std::string m_pattern, m_content;
  std::string m_held;  // what may begin a match
};

class ReplaceStep final : public WholeTokenStep {
 public:
  ReplaceStep(DecoderSink& out, std::shared_ptr<const Pattern> pattern, std::string content);

 private:
  void token(std::string token) override;
  std::shared_ptr<const Pattern> m_pattern;
  std::string m_content;
};

/// Takes up to `start` characters off each token's front and `stop` off its end.
class StripStep final : public DecoderStep {
 public:
  StripStep(DecoderSink& out, char32_t content, std::size_t start, std::size_t stop);
  void text(std::string_view fragment) override;
  void endToken() override;

 private:
  std::string m_content;
  std::size_t m_start, m_stop;
  std::size_t m_stripped = 0;
  bool m_atStart = true;
  std::size_t m_held = 0;  // characters that may stand at the end
};

class WordPieceStep final : public WholeTokenStep {
 public:
  WordPieceStep(DecoderSink& out, std::string prefix, bool cleanup);

 private:
  void token(std::string token) override;
  std::string m_prefix;
  bool m_cleanup, m_first = true;
};

/// BPEDecoder: the suffix of a word's last token becomes a space, but nothing in the last token of all.
class SuffixStep final : public WholeTokenStep {
 public:
  SuffixStep(DecoderSink& out, std::string suffix);
  void finish() override;

 private:
  void token(std::string token) override;
  std::string m_suffix;
  std::optional<std::string> m_last;
};

/// Connectionist temporal classification: repeated tokens are one, and the pad token is none.
class CtcStep final : public WholeTokenStep {
 public:
  CtcStep(DecoderSink& out, std::string pad, std::string delimiter, bool cleanup);

 private:
  void token(std::string token) override;
  std::string m_pad, m_delimiter;
  bool m_cleanup;
  std::optional<std::string> m_previous;
};

class JoinStep final : public DecoderStep {
 public:
  using DecoderStep::DecoderStep;
  void text(std::string_view fragment) override;
  void endToken() override;

 private:
  void separate();
  bool m_first = true, m_inToken = false;
};

}  // namespace strata
