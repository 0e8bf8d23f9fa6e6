#pragma once
// Versions of run.sqlite (PRAGMA user_version): what a reader may find in it.

namespace strata {

constexpr int kRunDatabaseVersion = 5;
/// From here on metrics have tokens and seconds and a pyramid, and answers all their scores. Before (version 0.4 of
/// Strata): step and value; exact and f1.
constexpr int kFirstTimedVersion = 2;
/// From here on the questions that were answered are kept: their texts and expected answers.
constexpr int kFirstAskedVersion = 3;
/// From here on an answer has the step that it was given at.
constexpr int kFirstSteppedVersion = 4;
/// From here on a question has its context, its cluster, the answers that count, and whether it has one.
constexpr int kFirstContextVersion = 5;

}  // namespace strata
