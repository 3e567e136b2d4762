# embed.cmake - makes C headers of files that are compiled into newswired. Run by cmake -P; needs nothing else.
#
#   KIND=lua  FROM/*.lua  ->  static const char lua_<name>[] = "...";
#             A script with a line `-- include: common.lua` gets that file put before it; common.lua itself is left out.
#   KIND=web  FROM/manifest.txt  ->  static const struct {...} web_files[], one row per line of the manifest,
#             `<url path> <file> <content type>`. The etag is a strong one, of the content, with its quotes.
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

function(web_header out)
	set(rows "")
	if(EXISTS ${FROM}/manifest.txt)
		file(STRINGS ${FROM}/manifest.txt lines REGEX "^/")
	endif()
	foreach(line IN LISTS lines)
		if(NOT "${line}" MATCHES "^([^ \t]+)[ \t]+([^ \t]+)[ \t]+(.+)$")
			message(FATAL_ERROR "manifest.txt: not `<url path> <file> <content type>`: ${line}")
		endif()
		set(path "${CMAKE_MATCH_1}")
		set(file "${FROM}/${CMAKE_MATCH_2}")
		string(STRIP "${CMAKE_MATCH_3}" type)
		text_literal("${type}" type)
		file(SHA256 ${file} hash)
		string(SUBSTRING ${hash} 0 16 hash)
		file(SIZE ${file} size)
		bytes_literal(${file} bytes)
		string(APPEND rows "\t{\"${path}\", ${type}, \"\\\"${hash}\\\"\",\n\t(const unsigned char *)${bytes}, ${size}},\n")
	endforeach()
	set(${out} "/* Made by embed.cmake from the manifest of the web clients. */
#include <stddef.h>

static const struct {
	const char *path, *type, *etag;
	const unsigned char *bytes;
	size_t len;
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
