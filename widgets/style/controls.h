#pragma once
// All controls of the window's own.

#include "widgets/style/button.h"
#include "widgets/style/field.h"
#include "widgets/style/labels.h"
#include "widgets/style/memory_bar.h"
#include "widgets/style/pane.h"
#include "widgets/style/segmented_buttons.h"
#include "widgets/style/separator.h"
#include "widgets/style/side_badge.h"
#include "widgets/style/switch.h"
