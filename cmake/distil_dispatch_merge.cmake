# Joins the objects of several architectures into one that is safe to link anywhere, and writes the functions that choose.
# Run by what distil_add_dispatch sets up:
#   cmake -DID=<name> "-DARCHS=<arch>;..." "-DOBJECTS_<arch>=<object>;..." -DBINUTILS=<folder>/<prefix> -DMERGED=<object>
#         -DENTRIES=<source> -P distil_dispatch_merge.cmake
#
# A function that several units define, such as a template's, is kept once by the linker: whichever it meets first. If
# that is the one for the widest architecture, the program dies on an older machine. So all code of an architecture is
# linked by itself first, its groups of duplicates are dissolved, and its functions become local to it, under a name with
# the architecture at its end. Only what holds no code stays common: variables, whose first definition, that of the
# lowest architecture, stands for all.
cmake_policy(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/distil_dispatch_symbols.cmake")

get_filename_component(folder "${MERGED}" DIRECTORY)
file(MAKE_DIRECTORY "${folder}")

# Links an architecture's objects. Whatever the loader would run, such as static initialisers, is put where it does not look.
function(link_unit suffix objects)
  set(script "SECTIONS {\n")
  foreach(array init fini)
    set(section distil_${array}_${ID}_${suffix})
    string(APPEND script "  .${section} : {
    ${section}_begin = .;
    KEEP(*(SORT_BY_INIT_PRIORITY(.${array}_array.*)))
    KEEP(*(.${array}_array))
    ${section}_end = .;
  }\n")
  endforeach()
  file(WRITE "${folder}/${suffix}.ld" "${script}}\nINSERT AFTER .text;\n")
  execute_process(COMMAND "${BINUTILS}ld.bfd" -r --force-group-allocation -T "${folder}/${suffix}.ld"
                          -o "${folder}/${suffix}.o" ${objects} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(refuse_symbols text)
  if(ARGN)
    distil_demangle(names ${ARGN})
    message(FATAL_ERROR "distil_add_dispatch: ${text}:${names}")
  endif()
endfunction()

function(write_lines file)
  list(JOIN ARGN "\n" text)
  file(WRITE "${file}" "${text}\n")
endfunction()

foreach(arch IN LISTS ARCHS)
  string(MAKE_C_IDENTIFIER "${arch}" suffix)
  link_unit(${suffix} "${OBJECTS_${arch}}")
  distil_read_symbols("${BINUTILS}readelf" "${folder}/${suffix}.o")
  refuse_symbols("a dispatched source may define functions for other units, but no variables; make static, or move to another source"
                 ${variables})
  refuse_symbols("a dispatched source may not choose among functions while the program is loaded" ${resolvers})
  foreach(kind entries inlined constants unique functions)
    set(${kind}_of_${arch} "${${kind}}")
  endforeach()
endforeach()

# A function that not every architecture has (since its name or its presence depends on it) is the affair of those it is in.
list(GET ARCHS 0 lowest)
set(entries "${entries_of_${lowest}}")
foreach(arch IN LISTS ARCHS)
  set(missing "${entries}")
  list(REMOVE_ITEM missing ${entries_of_${arch}} "")
  list(REMOVE_ITEM entries ${missing} "")
endforeach()
if(NOT entries)
  message(FATAL_ERROR "distil_add_dispatch: no source defines a function that another unit could call")
endif()

set(units "")
set(unit_names "")
set(unit_bounds "")
set(declarations "")
foreach(arch IN LISTS ARCHS)
  string(MAKE_C_IDENTIFIER "${arch}" suffix)
  set(own "${entries_of_${arch}}")
  list(REMOVE_ITEM own ${entries} "")
  set(private "${own};${inlined_of_${arch}}")
  list(REMOVE_ITEM private "")
  list(TRANSFORM private APPEND .${suffix})
  set(renamed "")
  foreach(name IN LISTS functions_of_${arch})
    list(APPEND renamed "${name} ${name}.${suffix}")
  endforeach()
  write_lines("${folder}/${suffix}.renamed" ${renamed})
  write_lines("${folder}/${suffix}.local" ${private} ${constants_of_${arch}})
  write_lines("${folder}/${suffix}.weak" ${unique_of_${arch}})
  # Two steps: objcopy makes no symbol local that is unique.
  execute_process(COMMAND "${BINUTILS}objcopy" "--weaken-symbols=${folder}/${suffix}.weak"
                          "--redefine-syms=${folder}/${suffix}.renamed" "${folder}/${suffix}.o"
                  COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${BINUTILS}objcopy" "--localize-symbols=${folder}/${suffix}.local" "${folder}/${suffix}.o"
                  COMMAND_ERROR_IS_FATAL ANY)
  list(APPEND units "${folder}/${suffix}.o")

  list(APPEND unit_names "\"${arch}\"")
  set(bounds "")
  foreach(array init fini)
    foreach(bound begin end)
      set(name distil_${array}_${ID}_${suffix}_${bound})
      list(APPEND bounds ${name})
      string(APPEND declarations "[[gnu::visibility(\"hidden\")]] extern procedure const ${name}[];\n")
    endforeach()
  endforeach()
  list(JOIN bounds ", " bounds)
  list(APPEND unit_bounds "{${bounds}}")
endforeach()
execute_process(COMMAND "${BINUTILS}ld.bfd" -r -o "${MERGED}" ${units} COMMAND_ERROR_IS_FATAL ANY)

# The functions that the rest of the program calls.
set(id ${ID})
list(JOIN unit_names ", " names)
list(JOIN unit_bounds ", " units)
set(assembly "")
set(number 0)
foreach(name IN LISTS entries)
  set(here ${id}_${number})
  string(APPEND assembly "
  .p2align 4
  .globl ${name}
  .type ${name}, @function
")
  if(NOT visibility_of_${name} STREQUAL DEFAULT)
    string(TOLOWER "${visibility_of_${name}}" visibility)
    string(APPEND assembly "  .${visibility} ${name}\n")
  endif()
  string(APPEND assembly "${name}:
  .cfi_startproc
  endbr64
  jmpq *distil_slot_${here}(%rip)
  .cfi_endproc
  .size ${name}, . - ${name}
  .type distil_resolve_${here}, @function
distil_resolve_${here}:
  .cfi_startproc
  endbr64
  leaq distil_slot_${here}(%rip), %r11
  jmp distil_first_call_${id}
  .cfi_endproc
  .size distil_resolve_${here}, . - distil_resolve_${here}
  .section .data.rel, \"aw\", @progbits
  .p2align 3
  .type distil_slot_${here}, @object
distil_slot_${here}:
  .quad distil_resolve_${here}
")
  foreach(arch IN LISTS ARCHS)
    string(MAKE_C_IDENTIFIER "${arch}" suffix)
    string(APPEND assembly "  .hidden ${name}.${suffix}\n  .quad ${name}.${suffix}\n")
  endforeach()
  string(APPEND assembly "  .size distil_slot_${here}, . - distil_slot_${here}\n  .text\n")
  math(EXPR number "${number} + 1")
endforeach()
set(entries "${assembly}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/distil_dispatch_entries.cpp.in" "${ENTRIES}" @ONLY)
file(TOUCH "${ENTRIES}")
