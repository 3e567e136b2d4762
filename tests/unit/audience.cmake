nw_unit_test(audience LIBS audience)
nw_unit_test(audience_sweep LIBS audience)
nw_unit_test(audience_census LIBS audience)
nw_unit_test(audience_memory SOURCES failing_malloc.c LIBS audience jansson
	"-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup")
