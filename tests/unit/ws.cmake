nw_unit_test(ws_offer LIBS ws)
nw_unit_test(ws_inflate LIBS ws zlib)
