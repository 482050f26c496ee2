ln linked/one linked/two; setfattr -n user.colour -v blue attributes
