nw_unit_test(news_cursor LIBS news)
nw_unit_test(news_channel LIBS news)
nw_unit_test(news_post LIBS news)
nw_unit_test(news_subscription LIBS news)
nw_unit_test(news_message LIBS news)
nw_unit_test(news_item LIBS news)
nw_unit_test(news_ninjs LIBS news)
nw_unit_test(news_memory LIBS news jansson
	"-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup")
