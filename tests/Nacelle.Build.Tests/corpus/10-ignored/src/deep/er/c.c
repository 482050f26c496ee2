src/deep/er/c.c
