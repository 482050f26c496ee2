mkdir d; echo k >d/keep; echo r >d/remove-me; tar -C d -czf data.tar.gz .; rm -r d
