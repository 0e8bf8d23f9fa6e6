#pragma once
// What a screen reader finds in the painted map editor: a list with an item per layer, named "Layer 9 reads 4, cost NLL
// +0.013".

namespace strata {

class MapView;

/// Makes Qt ask for it; once is enough.
void installMapAccessible();
/// The keyboard is at this row now.
void announceMapRow(MapView& view, int layer);
/// Other words may stand in the rows now: screen readers keep what they were told until they hear of a change.
void renameMapRows(MapView& view);

}  // namespace strata
