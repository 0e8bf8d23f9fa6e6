#pragma once
// A prompt as a person reads it: the question, and the passage that it is about. A prompt of a test set names them
// ("Context: … Question: …"); of any other one, the last paragraph is the question.
//
//   const AskedText asked = askedText("Context: Anna came late.\nQuestion: Who came late?");  // "Who came late?"
// Values; any thread.

#include <QString>

namespace strata {

struct AskedText {
  QString passage;   // what stands before the question, or around it; empty: nothing
  QString question;  // without its label
};

AskedText askedText(const QString& prompt);

/// What a chat is called: its question on one line, at most 60 characters.
QString titleOfPrompt(const QString& prompt);

}  // namespace strata
