mkdir -p t/dir/sub; echo a >t/dir/a; echo b >t/dir/sub/b; ln -s a t/dir/link; ln t/dir/a t/dir/hard; chown 11:12 t/dir/sub; chmod 2755 t/dir/sub; chmod 4711 t/dir/sub/b; touch -d '2002-02-02 UTC' t/dir/a t/dir/sub t/dir/sub/b
tar -C t -cf archive.tar dir; gzip -k archive.tar; bzip2 -k archive.tar; xz -k archive.tar; rm -r t
