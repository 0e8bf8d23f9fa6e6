#pragma once
// What screen readers do with buttons that stay pressed, with switches and with segments: their "toggle" is a click.
// Qt's own only checks the button, which nothing here listens to.

namespace strata {

/// Makes Qt ask for it; once is enough.
void installCheckableAccessible();

}  // namespace strata
