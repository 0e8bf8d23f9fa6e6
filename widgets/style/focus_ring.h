#pragma once
// The ring of the focus around scrolled views that have no edge of their own to draw it on: a transcript, a model's
// card, a text to read. Fields, buttons and lists draw theirs themselves.

class QApplication;

namespace strata {

/// From now on the view with the focus has it, once the keyboard has moved the focus. Called once.
void showFocusRings(QApplication& application);

}  // namespace strata
