// Gives the include probes of CMakeLists.txt a source; never built.
