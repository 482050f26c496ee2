mv dockerignore .dockerignore
