#pragma once
// Draws the map editor's rows, brackets, grid and legend. What it is told to draw it draws anywhere: onto the editor's
// kept picture, row by row, or into a test's image.

#include <QPainter>
#include <optional>

#include "widgets/mapeditor/map_layout.h"
#include "widgets/mapeditor/sensitivity.h"

namespace strata {

struct MapPicture {
  const MapLayout& layout;
  const SharingMap& map;              // side B's
  const SharingMap* other = nullptr;  // side A's; nullptr: of another model
  const Sensitivity* sensitivity = nullptr;
  QString ownerText;  // at the right of an owner's tile: its bytes per token
};

namespace paint {

/// "layer", "reads layer →", above the rows.
void mapCaptions(QPainter& painter, const MapLayout& layout);
/// Number, tile and grid of one layer.
void mapRow(QPainter& painter, const MapPicture& picture, int layer);
void mapCell(QPainter& painter, const MapPicture& picture, int layer, int source);
/// The brackets of all rows in view.
void mapBrackets(QPainter& painter, const MapPicture& picture);
void mapLegend(QPainter& painter, const QRect& rect, bool measured, bool hasOther);
int mapLegendHeight();
/// The whole map, small, with the part in view.
void mapOverview(QPainter& painter, const MapPicture& picture);

}  // namespace paint
}  // namespace strata
