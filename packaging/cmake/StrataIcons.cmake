# strata_icons(target LIST): compiles the icons that the list names into the target as the Qt resource :/icons/NAME.svg.
# The drawings are the installed package's, so that none has to live here. Lines: a name, or "name file"; # is a comment.
set(STRATA_ICONS "/usr/share/bootstrap-icons/svg" CACHE PATH "The SVG folder of bootstrap-icons")

function(strata_icons target list)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} lines REGEX "^[^#]")
  set(entries "")
  foreach(line IN LISTS lines)
    separate_arguments(words UNIX_COMMAND "${line}")
    list(GET words 0 name)
    list(GET words -1 drawing)
    set(file ${STRATA_ICONS}/${drawing}.svg)
    if(NOT EXISTS ${file})
      message(FATAL_ERROR "No icon ${file}: install bootstrap-icons, or give -DSTRATA_ICONS=<its svg folder>.")
    endif()
    string(APPEND entries "    <file alias=\"${name}.svg\">${file}</file>\n")
  endforeach()
  set(resource ${CMAKE_CURRENT_BINARY_DIR}/strata_icons.qrc)
  file(CONFIGURE OUTPUT ${resource} CONTENT "<RCC>\n  <qresource prefix=\"/icons\">\n${entries}  </qresource>\n</RCC>\n")
  qt6_add_resources(generated ${resource} OPTIONS --format-version 1)  # the first without times of files
  target_sources(${target} PRIVATE ${generated})
  set_source_files_properties(${generated} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
