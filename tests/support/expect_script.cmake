# For tests of scripts that check a tree: runs `script` on a small tree made for the purpose.
#   write_file(<path> <content>), expect_passed(<what>), expect_refused(<what> <regex>)
# The tree is `root`, a scratch folder that starts empty.

file(REMOVE_RECURSE "${root}")

function(write_file path content)
  file(WRITE "${root}/${path}" "${content}")
endfunction()

function(run_script status_out output_out)
  execute_process(COMMAND "${CMAKE_COMMAND}" -DROOT=${root} -P "${script}"
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  set(${status_out} ${status} PARENT_SCOPE)
  set(${output_out} "${output}" PARENT_SCOPE)
endfunction()

function(expect_passed what)
  run_script(status output)
  if(NOT status EQUAL 0)
    message(SEND_ERROR "${what}: must pass, but was refused:\n${output}")
  endif()
endfunction()

function(expect_refused what regex)
  run_script(status output)
  if(status EQUAL 0)
    message(SEND_ERROR "${what}: must be refused, but passed")
  elseif(NOT output MATCHES "${regex}")
    message(SEND_ERROR "${what}: was refused without the words '${regex}':\n${output}")
  endif()
endfunction()
