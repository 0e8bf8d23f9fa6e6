# strata_translations(TARGET): compiles resources/translations/strata_*.ts into it as :/translations/strata_<language>.qm.
# The build target `translations` brings the .ts files up to date with the sources.

function(strata_translations target)
  find_program(STRATA_LRELEASE lrelease PATHS /usr/lib/qt6/bin NO_DEFAULT_PATH)
  find_program(STRATA_LRELEASE lrelease REQUIRED)
  file(GLOB translations CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/resources/translations/strata_*.ts)
  set(entries "")
  foreach(translation IN LISTS translations)
    get_filename_component(name ${translation} NAME_WE)
    set(file ${CMAKE_CURRENT_BINARY_DIR}/${name}.qm)
    add_custom_command(OUTPUT ${file} COMMAND ${STRATA_LRELEASE} -silent ${translation} -qm ${file} DEPENDS ${translation} VERBATIM)
    string(APPEND entries "    <file alias=\"${name}.qm\">${file}</file>\n")
  endforeach()
  set(resource ${CMAKE_CURRENT_BINARY_DIR}/strata_translations.qrc)
  file(CONFIGURE OUTPUT ${resource} CONTENT "<RCC>\n  <qresource prefix=\"/translations\">\n${entries}  </qresource>\n</RCC>\n")
  qt6_add_resources(generated ${resource} OPTIONS --format-version 1)
  target_sources(${target} PRIVATE ${generated})
  set_source_files_properties(${generated} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)

  # core/config and core/protocol do not know Qt: their texts become a source that lupdate can read.
  add_executable(strata_config_texts ${PROJECT_SOURCE_DIR}/packaging/cmake/config_texts.cpp)
  target_link_libraries(strata_config_texts PRIVATE strata_core_config strata_core_protocol)
  add_custom_target(translations COMMAND ${PROJECT_SOURCE_DIR}/packaging/translations ${PROJECT_BINARY_DIR} VERBATIM)
  add_dependencies(translations strata_config_texts)
endfunction()
