nw_unit_test(http_who LIBS http)
