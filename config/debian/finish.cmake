# Run by cpack on each package's staged files: what Debian wants of them and an installation does without.
file(GLOB pages ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/man/man?/*.[1-9])
file(GLOB changes ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/doc/*/changelog*)
foreach(file IN LISTS pages changes)
    execute_process(COMMAND gzip --best --no-name --force ${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
# Where Debian's zsh looks for what packages bring.
file(GLOB directories ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/zsh)
foreach(directory IN LISTS directories)
    file(RENAME ${directory}/site-functions ${directory}/vendor-completions)
endforeach()
