nw_unit_test(ws_offer LIBS ws)
nw_unit_test(ws_inflate LIBS ws zlib)
nw_unit_test(ws_frames LIBS ws)
nw_unit_test(ws_connection LIBS ws)
