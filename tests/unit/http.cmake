nw_unit_test(http_who LIBS http)
nw_unit_test(http_passing_memory LIBS http)
nw_unit_test(http_encoding LIBS http)
nw_unit_test(http_answers LIBS http)
