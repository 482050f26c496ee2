using System.Text;
using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network;

/// <summary>A plug-in that is a program: told by its environment and its standard input, it answers on its standard output. See the CNI specification 1.1.0, section 2.</summary>
static class PluginProgram
{
    /// <summary>In bytes.</summary>
    const int LargestAnswer = 1 << 20;

    /// <summary>A program that is being replaced cannot be executed for a moment (ETXTBSY).</summary>
    const int BusyRounds = 50, BusyMilliseconds = 100;

    static readonly Dictionary<string, IReadOnlyList<CniVersion>> KnownVersions = new(StringComparer.Ordinal);

    /// <param name="path">Of the executable; its name is the plug-in's type.</param>
    /// <param name="timeout">Of each call.</param>
    public static NetworkPlugin At(string path, TimeSpan timeout) => new(
        Path.GetFileName(path),
        call => Result(call, Run(path, "ADD", call, timeout)),
        call => Run(path, "DEL", call, timeout),
        call => Run(path, "CHECK", call, timeout))
    {
        Collect = call => Run(path, "GC", call, timeout),
        Status = call => Run(path, "STATUS", call, timeout),
        Program = path,
        Versions = () => Versions(path, timeout),
    };

    static NetworkResult Result(PluginCall call, byte[] answer)
    {
        try
        {
            return NetworkResult.Parse(answer, call.Version);
        }
        catch (SpecException problem)
        {
            throw new NetworkException(NetworkException.DecodingFailure, $"its result is not understood: {problem.Message}{Quote(answer)}");
        }
    }

    /// <summary>Asked once in a process.</summary>
    static IReadOnlyList<CniVersion> Versions(string path, TimeSpan timeout)
    {
        lock (KnownVersions)
        {
            return KnownVersions.TryGetValue(path, out var known) ? known : KnownVersions[path] = AskVersions(path, timeout);
        }
    }

    static IReadOnlyList<CniVersion> AskVersions(string path, TimeSpan timeout)
    {
        // The rest is for plug-ins that look at it before they look at the command, as libcni has it.
        var input = SpecWriter.Write(CniVersion.Newest, (json, version) => json.Text("cniVersion", version.ToString()));
        byte[] answer;
        try
        {
            answer = Run(path, ["CNI_COMMAND=VERSION", "CNI_NETNS=dummy", "CNI_IFNAME=dummy", "CNI_PATH=dummy"], input, timeout);
        }
        catch (NetworkException problem) when (problem.Message.Contains("unknown CNI_COMMAND: VERSION", StringComparison.Ordinal))
        {
            return [CniVersion.Unsaid];
        }

        try
        {
            return SpecNode.Parse(answer, node => node.Texts("supportedVersions")).Select(CniVersion.TryParse).OfType<CniVersion>().ToList() is { Count: > 0 } versions ? versions
                : throw new SpecException("supportedVersions", "is missing");
        }
        catch (SpecException problem)
        {
            throw new NetworkException(NetworkException.DecodingFailure, $"its answer to VERSION is not understood: {problem.Message}{Quote(answer)}");
        }
    }

    static byte[] Run(string path, string command, PluginCall call, TimeSpan timeout)
    {
        var input = SpecWriter.Write((Command: command, Call: call), static (json, told) =>
        {
            json.Members(told.Call.Configuration);
            if (told.Command != "DEL" || told.Call.Version >= CniVersion.Checks)
            {
                json.Object("prevResult", told.Call.PreviousResult, (one, result) => NetworkResult.Write(one, result, told.Call.Version));
            }
        });
        return Run(
            path,
            [
                $"CNI_COMMAND={command}", $"CNI_CONTAINERID={call.ContainerId}", $"CNI_NETNS={call.NamespacePath}", $"CNI_IFNAME={call.InterfaceName}",
                $"CNI_ARGS={string.Join(';', call.Arguments.Select(argument => $"{argument.Key}={argument.Value}"))}", $"CNI_PATH={string.Join(':', call.Path)}",
            ],
            input, timeout);
    }

    /// <returns>What it printed.</returns>
    /// <exception cref="NetworkException">It failed, took too long, printed too much, or could not be run.</exception>
    static byte[] Run(string path, IReadOnlyList<string> variables, byte[] input, TimeSpan timeout)
    {
        var call = new ProgramCall(path, []) { Input = input, Environment = [.. Inherited(), .. variables], LargestOutput = LargestAnswer, Timeout = timeout, Ties = ProgramTies.Cut };
        for (int round = 1; ; round++)
        {
            try
            {
                var output = ProgramOutput.Of(call);
                return output.Status.ShellCode == 0 ? output.Output : throw Failure(output);
            }
            catch (KernelException problem) when (problem.Errno == Errno.ETXTBSY && round < BusyRounds)
            {
                Thread.Sleep(BusyMilliseconds);
            }
            catch (KernelException problem)
            {
                throw new NetworkException(NetworkException.InputOutput, problem.Message);
            }
            catch (TimeoutException problem)
            {
                throw new NetworkException(NetworkException.Internal, $"{problem.Message} and was killed");
            }
        }
    }

    /// <summary>What it says of its failure; and where it says nothing that is understood, how it ended and what it wrote.</summary>
    static NetworkException Failure(ProgramOutput output)
    {
        if (NetworkFault.TryParse(output.Output) is { } fault)
        {
            var details = fault.Details is null ? null : SpecException.OneLine(fault.Details);
            return new NetworkException(fault.Code, $"{SpecException.OneLine(fault.Message)}{(details is null ? "" : $": {details}")}{(fault.Code == 0 ? "" : $" (code {fault.Code})")}", details);
        }

        string end = output.Status.Signal != 0 ? $"was killed by signal {output.Status.Signal}" : $"ended with exit code {output.Status.ExitCode} and without saying why";
        return new NetworkException(NetworkException.Internal, end + Quote(output.Errors.Length > 0 ? output.Errors : output.Output));
    }

    static string Quote(byte[] text)
    {
        const int Longest = 300;
        string line = SpecException.OneLine(Encoding.UTF8.GetString(text).Trim().Replace('\n', ' '));
        return line.Length == 0 ? "" : $": \"{(line.Length > Longest ? line[..Longest] + "…" : line)}\"";
    }

    /// <summary>Our environment, without what is meant for us alone; programs of plug-ins look others up in $PATH.</summary>
    static IEnumerable<string> Inherited()
    {
        var ours = Processes.Environment().Where(variable => !Own.Any(name => variable.StartsWith(name, StringComparison.Ordinal))).ToList();
        return ours.Exists(variable => variable.StartsWith("PATH=", StringComparison.Ordinal)) ? ours : ours.Append("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    }

    static readonly string[] Own = ["CNI_", "RKT_LOCK_FD=", "LISTEN_", "NOTIFY_SOCKET="];
}
