#pragma once
// What a tokenizer.model says about its text that the SentencePiece library's interface does not tell.

#include <string>
#include <string_view>
#include <vector>

namespace strata {

/// Whether the model neither changes a text nor drops spaces from it, and begins it with a space symbol: then what
/// stands behind a space is encoded as a text of its own is.
bool keepsTextAndPrefixesSpace(std::string_view modelBytes);

/// The numbers of the pieces that stand for their own text wherever it comes (user-defined symbols).
std::vector<int> userDefinedPieces(std::string_view modelBytes);

/// Whether the library may load the model: the message is whole, and every rule of its `precompiled_charsmap`s stays
/// inside the map. SentencePiece 0.1.97 follows them without a check.
bool isSafeToLoad(std::string_view modelBytes);

/// The same model, but for the space that it may put before a text.
std::string withoutPrefixedSpace(std::string_view modelBytes);

}  // namespace strata
