ln -s ../file.txt one/sub/link; ln -s /nowhere/at/all one/dangling; ln -s sub one/linked-directory; mkdir one/empty; chmod 0711 one/sub; chmod 0600 one/file.txt; chown 5:6 one/file.txt
