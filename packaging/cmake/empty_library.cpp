// Nothing: a target of its own for a precompiled header.
