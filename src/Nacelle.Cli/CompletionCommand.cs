using Nacelle.CommandLine;

namespace Nacelle.Cli;

/// <summary><c>completion</c>: prints what a shell has to read to complete our command lines.</summary>
/// <remarks>The scripts only ask (<see cref="Completion.Verb"/>): what may follow is known by the commands' definitions, and by the store.</remarks>
static class CompletionCommand
{
    public static readonly Command Definition = new("completion", "bash|zsh|fish", "print a script by which a shell completes commands", [], Run)
    {
        Description = """
            For this shell: eval "$(nacelle completion bash)", or source <(nacelle completion zsh), or nacelle completion fish | source.
            For all: write it into /usr/share/bash-completion/completions/nacelle, /usr/share/zsh/vendor-completions/_nacelle or /usr/share/fish/vendor_completions.d/nacelle.fish.
            """,
    };

    static int Run(Invocation invocation)
    {
        var script = invocation.Words switch
        {
            ["bash"] => Bash,
            ["zsh"] => Zsh,
            ["fish"] => Fish,
            _ => throw new UserException("completion: name a shell, bash, zsh or fish"),
        };
        Output.Write(script.Replace("nacelle", ProgramName.Text, StringComparison.Ordinal));
        return 0;
    }

    /// <summary>bash takes ":" and "=" for ends of words, and puts what it gets behind the last of them; so the line is taken apart anew, by blanks.</summary>
    const string Bash = """
        # bash completion of nacelle
        _nacelle() {
            local line=${COMP_LINE:0:COMP_POINT} kind kept word remark
            local -a words
            read -ra words <<<"$line"
            [[ $line == *[[:space:]] ]] && words+=("")
            local current=${words[-1]} cut
            cut=$current
            while [[ -n $cut && $COMP_WORDBREAKS != *"${cut: -1}"* ]]; do cut=${cut%?}; done
            COMPREPLY=()
            {
                IFS=$'\t' read -r kind kept
                if [[ $kind == files ]]; then
                    compopt -o filenames
                    mapfile -t COMPREPLY < <(compgen -f -- "${current#"$kept"}")
                elif [[ $kind == directories ]]; then
                    compopt -o filenames
                    mapfile -t COMPREPLY < <(compgen -d -- "${current#"$kept"}")
                else
                    while IFS=$'\t' read -r word remark; do COMPREPLY+=("${word#"$cut"}"); done
                    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
                fi
            } < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
            return 0
        }
        complete -F _nacelle nacelle

        """;

    const string Zsh = """
        #compdef nacelle
        _nacelle() {
            local -a lines head parts whole open whole_shown open_shown
            local line
            lines=("${(@f)$("$words[1]" __complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
            head=("${(@ps:\t:)lines[1]}")
            case $head[1] in
                files|directories)
                    compset -P "${(b)head[2]}"
                    if [[ $head[1] == directories ]]; then _files -/; else _files; fi
                    return ;;
            esac
            for line in "${(@)lines[2,-1]}"; do
                parts=("${(@ps:\t:)line}")
                if [[ $parts[1] == *= ]]; then
                    open+=("$parts[1]"); open_shown+=("$parts[1]${parts[2]:+  -- $parts[2]}")
                else
                    whole+=("$parts[1]"); whole_shown+=("$parts[1]${parts[2]:+  -- $parts[2]}")
                fi
            done
            compadd -l -d whole_shown -a whole
            compadd -l -S '' -d open_shown -a open
        }
        if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _nacelle "$@"; else compdef _nacelle nacelle; fi

        """;

    const string Fish = """
        # fish completion of nacelle
        function __nacelle_complete
            set -l words (commandline -opc)
            set -l current (commandline -ct)
            set -l lines ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
            set -l head (string split \t -- $lines[1])
            switch $head[1]
                case files directories
                    set -l begun (string sub -s (math 1 + (string length -- "$head[2]")) -- "$current")
                    for path in (if test $head[1] = files; __fish_complete_path "$begun"; else; __fish_complete_directories "$begun"; end)
                        echo -- $head[2]$path
                    end
                case '*'
                    printf '%s\n' $lines[2..-1]
            end
        end
        complete -c nacelle -f -a '(__nacelle_complete)'

        """;
}
