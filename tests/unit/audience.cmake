nw_unit_test(audience LIBS audience)
