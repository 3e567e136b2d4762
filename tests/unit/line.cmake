nw_unit_test(line_ends LIBS line)
nw_unit_test(line_rests LIBS line)
nw_unit_test(line_tls LIBS line openssl SOURCES tls_stage.c)
nw_unit_test(line_tls_heard LIBS line openssl SOURCES tls_stage.c)
