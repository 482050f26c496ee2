ln -s tree/dir/t link
