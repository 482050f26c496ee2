# Sourced by the benchmarks of commands that need no hyperfine. $rounds says how often.

# Prints the median of a command's times.
measure() { # NAME COMMAND...
    local name=$1 start end
    shift
    for _ in $(seq "$rounds"); do
        start=$(date +%s%N)
        "$@" >/dev/null
        end=$(date +%s%N)
        echo $(((end - start) / 1000))
    done | sort -n | awk -v name="$name" '{ t[NR] = $1 } END { printf "%-36s %8.1f ms\n", name, t[int((NR + 1) / 2)] / 1000 }'
}
