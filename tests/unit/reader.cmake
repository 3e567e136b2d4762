nw_unit_test(reader_early LIBS reader)
nw_unit_test(reader_lag LIBS reader)
nw_unit_test(reader_canary LIBS reader)
nw_unit_test(reader_rows LIBS reader)
