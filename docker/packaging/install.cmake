# install.cmake - run by `cmake --install`: what names its own place is written for the prefix that was told, and put there.
# In: sources, made (directories), NEWSWIRE_VERSION, dirs (bin, sbin, lib, include below the prefix).
set(prefix ${CMAKE_INSTALL_PREFIX})
list(TRANSFORM dirs PREPEND ${prefix}/ REGEX "^[^/]")
list(GET dirs 1 sbindir)
list(GET dirs 2 libdir)
list(GET dirs 3 includedir)
set(sysconfdir ${prefix}/etc)
if(prefix STREQUAL "/usr")
	set(sysconfdir /etc)
endif()

configure_file(${sources}/newswire.pc.in ${made}/newswire.pc @ONLY)
configure_file(${sources}/newswired.service.in ${made}/newswired.service @ONLY)
file(INSTALL ${made}/newswire.pc DESTINATION ${libdir}/pkgconfig)
file(INSTALL ${made}/newswired.service DESTINATION ${prefix}/lib/systemd/system)

# An administrator's own options stay.
set(options ${sysconfdir}/default)
if(NOT EXISTS $ENV{DESTDIR}${options}/newswired)
	file(INSTALL ${sources}/newswired.default DESTINATION ${options} RENAME newswired)
endif()
