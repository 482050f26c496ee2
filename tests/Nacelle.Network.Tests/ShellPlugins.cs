using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Network.Tests;

/// <summary>Plug-ins in shell in a directory of their own, and a pod's directory; nothing of the machine's.</summary>
sealed class ShellPlugins : IDisposable
{
    readonly TemporaryDirectory directory = new();

    public ShellPlugins()
    {
        Directory.CreateDirectory($"{directory.Path}/pod");
        Directory.CreateDirectory($"{directory.Path}/bin");
        Pod = Files.Open($"{directory.Path}/pod", OpenFlags.ReadOnly | OpenFlags.Directory);
    }

    public FileDescriptor Pod { get; }

    public string Path => directory.Path;

    /// <summary>A line for each call: plug-in, command, container, device, whether there was a namespace, arguments; then what it was given.</summary>
    public IReadOnlyList<string> Calls => directory.Read("calls").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A plug-in that writes down how it is called.</summary>
    /// <param name="body">Then runs with <c>$input</c>, what it was given.</param>
    public ShellPlugins Add(string name, string body)
    {
        directory.Write($"bin/{name}", $$"""
            #!/bin/sh
            input=$(cat)
            echo "{{name}} $CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME ${CNI_NETNS:-gone} $CNI_ARGS" >>{{directory.Path}}/calls
            echo "$input" >{{directory.Path}}/{{name}}.$CNI_COMMAND
            {{body}}
            """, executable: true);
        return this;
    }

    public string Input(string name, string command) => directory.Read($"{name}.{command}").Trim();

    public bool HasFile(string name) => File.Exists($"{directory.Path}/{name}");

    public string Write(string name, string content) => directory.Write(name, content);

    public void Forget() => File.Delete($"{directory.Path}/calls");

    public NetworkPlan Plan(params NetworkAttachment[] attachments)
    {
        var plan = new NetworkPlan { ContainerId = "pod-1", Attachments = attachments, PluginPath = [$"{directory.Path}/bin"], Lock = $"{directory.Path}/lock" };
        plan.Write(Pod);
        return plan;
    }

    public NetworkAttacher Attacher(NetworkPlan plan, TimeSpan? timeout = null) => new(Pod, plan, new NetworkPlugins(plan.PluginPath) { Timeout = timeout ?? TimeSpan.FromMinutes(1) });

    public static NetworkAttachment Network(string json, string device = "eth0") => new(NetworkConfiguration.Parse(System.Text.Encoding.UTF8.GetBytes(json), "test"), device);

    public void Dispose()
    {
        Pod.Dispose();
        directory.Dispose();
    }
}
