#pragma once
// The guide: the Markdown of resources/guide, compiled in as :/guide. README.md is its table of contents; a page of the
// window has the page of the same name.
//
//   const Guide& guide = Guide::shipped();
//   for (const GuideHit& hit : guide.search("out of memory")) …

#include <QString>
#include <QStringList>
#include <vector>

namespace strata {

struct GuidePage {
  QString id;  // the file's name without .md
  QString title, markdown;
};

struct GuideHit {
  QString page, anchor;    // of the heading that it stands under; of the page's title empty
  QString title, heading;  // for a person
  QString excerpt;
};

class Guide {
 public:
  static const Guide& shipped();
  explicit Guide(const QString& folder);

  /// The contents first, then the pages in its order.
  const std::vector<GuidePage>& pages() const { return m_pages; }
  const GuidePage* find(const QString& id) const;
  /// The page that belongs to a page of the window; one that has none gets the contents.
  QString pageFor(const QString& windowPage) const;
  /// Sections that hold all of the words, those with them in a heading first.
  std::vector<GuideHit> search(const QString& words) const;
  const QString& folder() const { return m_folder; }

  /// A heading's anchor as GitHub makes it: "Out of memory" is out-of-memory.
  static QString anchorOf(const QString& heading);

 private:
  QString m_folder;
  std::vector<GuidePage> m_pages;
};

inline constexpr const char* kGuideContents = "README";

}  // namespace strata
