# embed.cmake - makes C headers of files that are compiled into newswired. Run by cmake -P.
#
#   KIND=lua  FROM/*.lua  ->  static const char lua_<name>[] = "...";
#             A script with a line `-- include: common.lua` gets that file put before it; common.lua itself is left out.
#   KIND=web  FROM/manifest.txt  ->  static const struct {...} web_files[], one row per line of the manifest,
#             `<url path> <file> <content type>`. ESBUILD puts a script or a style sheet and all that it imports into one small file,
#             and a page gets the style sheets that it links (by their names in FROM) inside it: one request less. GZIP
#             makes what is sent to those who take it. The etag is of the content, with its quotes.
cmake_minimum_required(VERSION 3.25)

# Text as C string literals, one per line of the text.
function(text_literal text out)
	string(REPLACE "\\" "\\\\" text "${text}")
	string(REPLACE "\"" "\\\"" text "${text}")
	string(REPLACE "\t" "\\t" text "${text}")
	string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
	set(${out} "\"${text}\"" PARENT_SCOPE)
endfunction()

# Bytes as C string literals, 32 a line. A literal ends with a NUL that does not count.
function(bytes_literal file out)
	file(READ ${file} hex HEX)
	string(REPEAT "[0-9a-f]" 64 line)
	string(REGEX REPLACE "(${line})" "\\1\n" hex "${hex}")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" hex "${hex}")
	string(REPLACE "\n" "\"\n\t\"" hex "${hex}")
	set(${out} "\"${hex}\"" PARENT_SCOPE)
endfunction()

function(lua_header out)
	file(GLOB scripts ${FROM}/*.lua)
	list(SORT scripts)
	set(header "/* Made by embed.cmake from the scripts of this floor. */\n")
	foreach(script IN LISTS scripts)
		get_filename_component(name ${script} NAME_WE)
		if(name STREQUAL "common")
			continue()
		endif()
		file(READ ${script} text)
		if("\n${text}" MATCHES "\n-- include: common\\.lua *\n")
			file(READ ${FROM}/common.lua common)
			set(text "${common}${text}")
		endif()
		text_literal("${text}" literal)
		string(MAKE_C_IDENTIFIER "lua_${name}" variable)
		string(APPEND header "\n__attribute__((unused)) static const char ${variable}[] =\n\t${literal};\n")
	endforeach()
	set(${out} "${header}" PARENT_SCOPE)
endfunction()

# Runs a tool, and fails as it does.
function(run)
	execute_process(COMMAND ${ARGN} RESULT_VARIABLE status ERROR_VARIABLE said)
	if(NOT status EQUAL 0)
		message(FATAL_ERROR "embed.cmake: ${ARGN}\n${said}")
	endif()
endfunction()

# A script or a style sheet with what it imports. A script gets a style sheet as its text.
function(bundle file made)
	set(loader "")
	if(file MATCHES "\\.js$")
		set(loader --loader:.css=text)
	endif()
	run(${ESBUILD} ${file} ${loader} --bundle --minify --format=esm --target=es2022 --charset=utf8 --log-level=warning --outfile=${made})
endfunction()

# A page with its style sheets inside.
function(page file made)
	file(READ ${file} text)
	string(REGEX MATCHALL "<link rel=\"stylesheet\" href=\"[^\"]+\">" links "${text}")
	foreach(link IN LISTS links)
		string(REGEX REPLACE ".*href=\"([^\"]+)\">" "\\1" sheet "${link}")
		bundle(${FROM}/${sheet} ${made}.css)
		file(READ ${made}.css css)
		string(STRIP "${css}" css)
		string(REPLACE "${link}" "<style>${css}</style>" text "${text}")
	endforeach()
	file(WRITE ${made} "${text}")
endfunction()

# A file as it is served.
function(web_file file made)
	get_filename_component(kind ${file} LAST_EXT)
	if(kind STREQUAL ".js" OR kind STREQUAL ".css")
		bundle(${file} ${made})
	elseif(kind STREQUAL ".html")
		page(${file} ${made})
	else()
		configure_file(${file} ${made} COPYONLY)
	endif()
endfunction()

function(web_header out)
	set(rows "")
	get_filename_component(work ${OUT} DIRECTORY)
	set(work ${work}/web)
	file(MAKE_DIRECTORY ${work})
	file(STRINGS ${FROM}/manifest.txt lines REGEX "^/")
	foreach(line IN LISTS lines)
		if(NOT "${line}" MATCHES "^([^ \t]+)[ \t]+([^ \t]+)[ \t]+(.+)$")
			message(FATAL_ERROR "manifest.txt: not `<url path> <file> <content type>`: ${line}")
		endif()
		set(path "${CMAKE_MATCH_1}")
		set(file "${FROM}/${CMAKE_MATCH_2}")
		string(STRIP "${CMAKE_MATCH_3}" type)
		text_literal("${type}" type)
		string(REGEX REPLACE "[^A-Za-z0-9.]" "_" made "${CMAKE_MATCH_2}")
		set(made ${work}/${made})
		web_file(${file} ${made})
		run(${GZIP} --best --no-name --keep --force ${made})
		file(SHA256 ${made} hash)
		string(SUBSTRING ${hash} 0 16 hash)
		file(SIZE ${made} size)
		file(SIZE ${made}.gz small)
		bytes_literal(${made} bytes)
		bytes_literal(${made}.gz gzip)
		string(APPEND rows "\t{\"${path}\", ${type}, \"\\\"${hash}\\\"\",\n\t(const unsigned char *)${bytes}, ${size},\n\t(const unsigned char *)${gzip}, ${small}},\n")
	endforeach()
	set(${out} "/* Made by embed.cmake from the manifest of the web clients. */
#include <stddef.h>

static const struct {
	const char *path, *type, *etag;
	const unsigned char *bytes;
	size_t len;
	const unsigned char *gzip;
	size_t gzip_len;
} web_files[] = {
${rows}};
" PARENT_SCOPE)
endfunction()

if(KIND STREQUAL "lua")
	lua_header(header)
elseif(KIND STREQUAL "web")
	web_header(header)
else()
	message(FATAL_ERROR "embed.cmake: KIND is lua or web, not '${KIND}'")
endif()
file(WRITE ${OUT} "${header}")
