using Nacelle.Linux;

namespace Nacelle.Cli;

/// <summary><c>fetch</c>: hands over to the executable that speaks to registries.</summary>
static class FetchCommand
{
    static readonly Option PullPolicy = new("pull-policy", "update|new|never", "when to ask the registry (update: always)");
    static readonly Option Platform = new("platform", "OS/ARCH[/VARIANT]", "fetch for this platform instead of this machine's");
    static readonly Option Full = new("full", null, "print the whole id");

    public static readonly Command Definition = new(
        "fetch", "[FLAGS] IMAGE…", "fetch images into the store", [PullPolicy, Platform, Full], Run)
    {
        Description = "Prints the id of each image. IMAGE is docker://[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], oci:PATH[:TAG],\noci-archive:PATH[:TAG], docker-archive:PATH[:REFERENCE], or a path that begins with / or ./",
    };

    static int Run(Invocation invocation)
    {
        List<string> arguments = [Fetching.Program, $"--dir={GlobalFlags.DataDirectory(invocation)}"];
        foreach (var token in invocation.Tokens)
        {
            if (token.Option is { } option && option != GlobalFlags.Directory)
            {
                arguments.Add($"--{option.Name}={token.Text}");
            }
        }

        throw Processes.Execute(Fetching.Program, [.. arguments, "--", .. invocation.Words], Processes.Environment());
    }
}
