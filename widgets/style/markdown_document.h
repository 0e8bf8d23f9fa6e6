#pragma once
// Markdown in a document as the window shows it: headings, lists, code and tables in its own fonts, sizes and colours.
//
//   setMarkdown(*browser->document(), text, Links::shown);   // again after a change of the theme

#include <QString>

class QTextDocument;

namespace strata {

enum class Links { plain, shown };

/// GitHub's dialect without HTML. With Links::plain a link looks like the text around it.
void setMarkdown(QTextDocument& document, const QString& markdown, Links links = Links::plain);

}  // namespace strata
