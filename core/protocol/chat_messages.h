#pragma once
// Answers, what made them, how two models differ on one text, and the chats that a project keeps.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/generate_config.h"
#include "core/protocol/model_messages.h"

namespace strata::protocol {

struct Turn {
  std::string role;  // system | user | assistant
  std::string content;
  template <class V>
  void visit(V& v) {
    v("role", role, "system, user or assistant");
    v("content", content, "what is said");
  }
  bool operator==(const Turn&) const = default;
};

/// What the engine ran, as it was when the answer began.
struct MadeBy {
  std::string model, folder, hash, adapter, map, dtype, device, version;
  std::vector<int> src;
  GenerateConfig sampling;
  template <class V>
  void visit(V& v) {
    v("model", model, "as the request named it");
    v("folder", folder, "that it was read from");
    v("hash", hash, "SHA-256 of the weights, its adapter's included");
    v("adapter", adapter, "LoRA folder; empty: none");
    v("map", map, "as text");
    v("src", src, "the layer that each layer read");
    v("dtype", dtype, "computed in");
    v("device", device, "computed on");
    v("version", version, "of the engine");
    v("sampling", sampling, "settings and seed");
  }
};

/// How an answer compares with those that its question's test set expects (SQuAD's rule: evaluate-v2.0.py).
struct Mark {
  std::vector<std::string> expected;
  double exact = 0, f1 = 0;
  template <class V>
  void visit(V& v) {
    v("expected", expected, "the answers that count as right");
    v("exact", exact, "1: one of them, by SQuAD's rule; 0: none");
    v("f1", f1, "0 to 1, of the best of them");
  }
  bool operator==(const Mark&) const = default;
};

struct Answer {
  std::string text, finish;
  std::vector<int> ids;
  MadeBy madeBy;
  int promptTokens = 0, cachedTokens = 0;
  std::int64_t context = 0, kvBytes = 0, kvBytesUsed = 0, kvBytesFull = 0;
  double firstTokenSeconds = 0, prefillSeconds = 0, decodeSeconds = 0;
  bool shared = false;
  std::optional<Mark> mark;
  template <class V>
  void visit(V& v) {
    v("text", text, "the whole answer");
    v("finish", finish, "eos, length, stop or cancel");
    v("ids", ids, "its tokens");
    v("made_by", madeBy, "what the engine ran");
    v("prompt_tokens", promptTokens, "of the conversation before it");
    v("cached_tokens", cachedTokens, "of these, taken from the cache");
    v("context", context, "tokens that fit");
    v("kv_bytes", kvBytes, "allocated for the cache");
    v("kv_bytes_used", kvBytesUsed, "of them, by the conversation's tokens; 0: not known");
    v("kv_bytes_full", kvBytesFull, "what the full map would take in place of kv_bytes");
    v("first_token_s", firstTokenSeconds, "own compute from the request's begin to the first token");
    v("prefill_s", prefillSeconds, "own compute of the prompt");
    v("decode_s", decodeSeconds, "own compute of the tokens after the first");
    v("shared", shared, "whether another answer was made at the same time");
    v("mark", mark, "where chat/generate was told what is expected");
  }
};

struct Generate {
  static constexpr const char* kName = "chat/generate";
  static constexpr const char* kHelp =
      "answers a conversation; tokens come as chat/tokens; a cancelled one answers with what it has and finish cancel. "
      "Caches are kept by stream, so that the next turn computes only what is new";
  struct Params {
    std::string stream;
    Side side;
    std::vector<Turn> turns;
    GenerateConfig sampling;
    std::vector<std::string> expected;
    template <class V>
    void visit(V& v) {
      v("stream", stream, "names the tokens' notifications and the cache: one a pane of a chat");
      v("side", side, "model and map; opened where it is not");
      v("turns", turns, "the conversation; the last is the user's");
      v("sampling", sampling, "settings and seed");
      v("expected", expected, "answers that the question's test set counts as right; the answer is marked by them");
    }
  };
  using Answer = protocol::Answer;
};

struct CountPrompt {
  static constexpr const char* kName = "chat/count";
  static constexpr const char* kHelp = "tokens of a conversation as chat/generate would put it to the model";
  struct Params {
    ModelRef ref;
    std::vector<Turn> turns;
    int answerTokens = 0;
    template <class V>
    void visit(V& v) {
      v("ref", ref, "the model; opened if it is not");
      v("turns", turns, "the conversation; the last is the user's");
      v("answer_tokens", answerTokens, "room to leave when turns are dropped; at most a quarter of the context",
        Range{0, 1 << 30});
    }
  };
  struct Answer {
    std::int64_t tokens = 0, context = 0;
    int drop = 0;
    template <class V>
    void visit(V& v) {
      v("tokens", tokens, "of the prompt");
      v("context", context, "tokens that fit; a prompt must be shorter");
      v("drop", drop, "oldest questions to drop, with their answers, so that it fits; -1: the last alone does not");
    }
  };
};

struct Tokens {
  static constexpr const char* kName = "chat/tokens";
  static constexpr const char* kHelp = "text that became certain, at most 60 times a second a stream";
  Json request;
  std::string stream, text;
  std::vector<int> ids;
  std::int64_t kvBytesUsed = 0;
  template <class V>
  void visit(V& v) {
    v("request", request, "id of chat/generate");
    v("stream", stream, "as asked");
    v("text", text, "to add");
    v("ids", ids, "tokens since the notification before");
    v("kv_bytes_used", kvBytesUsed, "of the cache, by the conversation's tokens so far; 0: not known");
  }
};

struct Alternative {
  std::string text;
  double probability = 0;
  template <class V>
  void visit(V& v) {
    v("text", text, "of a token");
    v("probability", probability, "0 to 1");
  }
};

struct TokenDifference {
  std::string text;
  double kl = 0;
  std::vector<Alternative> a, b;
  template <class V>
  void visit(V& v) {
    v("text", text, "of the token");
    v("kl", kl, "KL(A || B) of the predictions at its place, nats");
    v("a", a, "A's likeliest tokens there");
    v("b", b, "B's");
  }
};

struct Compare {
  static constexpr const char* kName = "chat/compare";
  static constexpr const char* kHelp =
      "both sides read the same answer: KL and likeliest tokens at each of its tokens (teacher-forced)";
  struct Params {
    Side a, b;
    std::vector<Turn> turns;
    std::vector<int> ids;
    int alternatives = 5;
    template <class V>
    void visit(V& v) {
      v("a", a, "side A");
      v("b", b, "side B; the same vocabulary");
      v("turns", turns, "the conversation before the answer");
      v("ids", ids, "the answer that both read");
      v("alternatives", alternatives, "likeliest tokens to give at each place", Range{0, 20});
    }
  };
  struct Answer {
    std::vector<TokenDifference> tokens;
    double meanKl = 0;
    template <class V>
    void visit(V& v) {
      v("tokens", tokens, "in order");
      v("mean_kl", meanKl, "nats a token");
    }
  };
};

/// A row of a chat. Ids are the client's, so that a message sent twice (replayed after a crash) is stored once.
struct ChatMessage {
  std::string id;
  int turn = 0;
  std::string role;  // user | a | b
  std::string text;
  std::optional<protocol::Answer> answer;  // of roles a and b
  std::string problem;                     // why there is no answer
  template <class V>
  void visit(V& v) {
    v("id", id, "made by the client");
    v("turn", turn, "0, 1, …: a question and its two answers have one number");
    v("role", role, "user, a or b");
    v("text", text, "what it says");
    v("answer", answer, "of an answer: all that chat/generate gave");
    v("problem", problem, "of an answer that failed: the sentence");
  }
};

struct ChatInfo {
  std::string id, title, system, created, updated;
  std::optional<Side> a, b;
  GenerateConfig sampling;
  int turns = 0;
  bool trashed = false;
  std::string snippet;
  template <class V>
  void visit(V& v) {
    v("id", id, "made by the client");
    v("title", title, "for a person");
    v("system", system, "the system message");
    v("created", created, "ISO 8601, UTC; set by the engine");
    v("updated", updated, "likewise");
    v("a", a, "side A");
    v("b", b, "side B");
    v("sampling", sampling, "settings and seed");
    v("turns", turns, "how many; set by the engine");
    v("trashed", trashed, "whether it lies in the trash");
    v("snippet", snippet, "of a search: where it was found");
  }
};

struct ListChats {
  static constexpr const char* kName = "chats/list";
  static constexpr const char* kHelp = "the project's chats, the newest first";
  struct Params {
    std::string search;
    bool trash = false;
    int limit = 200;
    template <class V>
    void visit(V& v) {
      v("search", search, "words that title or messages hold; empty: all");
      v("trash", trash, "those in the trash instead");
      v("limit", limit, "at most", Range{1, 10000});
    }
  };
  struct Answer {
    std::vector<ChatInfo> chats;
    template <class V>
    void visit(V& v) {
      v("chats", chats, "the newest first");
    }
  };
};

struct OpenChat {
  static constexpr const char* kName = "chats/open";
  static constexpr const char* kHelp = "a chat and its messages in order, from a turn on, paged";
  struct Params {
    std::string id;
    int fromTurn = 0;
    template <class V>
    void visit(V& v) {
      v("id", id, "the chat");
      v("from_turn", fromTurn, "the first turn wanted");
    }
  };
  struct Answer {
    ChatInfo chat;
    std::vector<ChatMessage> messages;
    int nextTurn = -1;
    template <class V>
    void visit(V& v) {
      v("chat", chat, "the chat");
      v("messages", messages, "in order");
      v("next_turn", nextTurn, "where to go on; -1: these were all");
    }
  };
};

struct PutChat {
  static constexpr const char* kName = "chats/put";
  static constexpr const char* kHelp =
      "stores a chat's properties and some of its messages, new or changed, by their ids; durable once answered";
  struct Params {
    ChatInfo chat;
    std::vector<ChatMessage> messages;
    int dropFromTurn = -1;
    template <class V>
    void visit(V& v) {
      v("chat", chat, "made where there is none");
      v("messages", messages, "to add or replace");
      v("drop_from_turn", dropFromTurn,
        "first moves the messages from this turn on to a chat of their own in the trash; -1: none");
    }
  };
  using Answer = Nothing;
};

struct RemoveChat {
  static constexpr const char* kName = "chats/remove";
  static constexpr const char* kHelp = "moves a chat to the trash, takes it back, or deletes it for good";
  struct Params {
    std::string id, how;
    template <class V>
    void visit(V& v) {
      v("id", id, "the chat");
      v("how", how, "trash, restore or delete");
    }
  };
  using Answer = Nothing;
};

struct ExportChat {
  static constexpr const char* kName = "chats/export";
  static constexpr const char* kHelp = "a chat as Markdown or JSON, with what made each answer";
  struct Params {
    std::string id, format, path;
    template <class V>
    void visit(V& v) {
      v("id", id, "the chat");
      v("format", format, "md or json");
      v("path", path, "file to write on the engine's machine; empty: the text is the answer");
    }
  };
  struct Answer {
    std::string text;
    template <class V>
    void visit(V& v) {
      v("text", text, "where no path was given");
    }
  };
};

struct SampleQuestion {
  static constexpr const char* kName = "chat/sample_question";
  static constexpr const char* kHelp = "a question of the project's test split, drawn by seed, as it is put to a model";
  struct Params {
    std::uint64_t seed = 1;
    template <class V>
    void visit(V& v) {
      v("seed", seed, "of the draw");
    }
  };
  struct Answer {
    std::string text;
    std::vector<std::string> answers, stop;
    int number = 0, of = 0;
    template <class V>
    void visit(V& v) {
      v("text", text, "passage and question");
      v("answers", answers, "that count as right");
      v("stop", stop, "texts that end an answer to it, as in the evaluation");
      v("number", number, "in the split, from 1");
      v("of", of, "questions in the split");
    }
  };
};

}  // namespace strata::protocol
