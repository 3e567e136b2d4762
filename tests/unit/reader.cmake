nw_unit_test(reader_early LIBS reader)
