namespace Nacelle.Specs;

/// <summary>Names of kernel parameters, as in <see cref="RuntimeLinux.Sysctl"/>. See sysctl(8).</summary>
public static class RuntimeSysctl
{
    /// <summary>Whichever of '.' and '/' comes first parts a name, and the other one is a letter: <c>net.ipv4.conf.eth0/1.mtu</c> is <c>net/ipv4/conf/eth0.1/mtu</c>.</summary>
    /// <returns>The path below /proc/sys; null for what is no name, such as one with '..' in it.</returns>
    public static string? PathOf(string name)
    {
        int first = name.AsSpan().IndexOfAny('.', '/');
        var path = first >= 0 && name[first] == '.' ? Swap(name) : name;
        foreach (var range in path.AsSpan().Split('/'))
        {
            if (path.AsSpan()[range] is "" or "." or "..")
            {
                return null;
            }
        }

        return path.Contains('\0') ? null : path;
    }

    /// <summary>The type of namespace that has this parameter for itself; null for those that there is one of for the whole machine.</summary>
    /// <param name="path">As <see cref="PathOf"/> gives it.</param>
    public static string? NamespaceOf(string path) => path switch
    {
        "kernel/msgmax" or "kernel/msgmnb" or "kernel/msgmni" or "kernel/sem" => "ipc",
        "kernel/shmall" or "kernel/shmmax" or "kernel/shmmni" or "kernel/shm_rmid_forced" => "ipc",
        "kernel/hostname" or "kernel/domainname" => "uts",
        _ when path.StartsWith("fs/mqueue/", StringComparison.Ordinal) => "ipc",
        _ when path.StartsWith("net/", StringComparison.Ordinal) => "network",
        _ when path.StartsWith("user/", StringComparison.Ordinal) => "user",
        _ => null,
    };

    static string Swap(string name) => string.Create(name.Length, name, static (path, from) =>
    {
        for (int i = 0; i < path.Length; i++)
        {
            path[i] = from[i] switch { '.' => '/', '/' => '.', _ => from[i] };
        }
    });
}

static partial class RuntimeConfigCheck
{
    /// <summary>A parameter that the container has not for itself is the host's, and is left alone.</summary>
    static void Sysctl(RuntimeConfig config, RuntimeLinux linux)
    {
        if (linux.Sysctl is null)
        {
            return;
        }

        foreach (var (name, value) in linux.Sysctl)
        {
            var path = RuntimeSysctl.PathOf(name) ?? throw new SpecException("linux.sysctl", $"'{Short(name)}' is not a parameter's name such as net.ipv4.ip_forward");
            var type = RuntimeSysctl.NamespaceOf(path) ?? throw new SpecException($"linux.sysctl.{Short(name)}", "would change the host: no namespace has it for itself");
            if (linux.FindNamespace(type) is null)
            {
                throw new SpecException($"linux.sysctl.{Short(name)}", $"would change the host: give the container {(type is "ipc" ? "an" : "a")} {type} namespace");
            }

            if ((path == "kernel/hostname" && config.Hostname is not null) || (path == "kernel/domainname" && config.Domainname is not null))
            {
                throw new SpecException($"linux.sysctl.{Short(name)}", $"is said twice: {path[7..]} stands for it");
            }

            Text("linux.sysctl.", name, value);
        }
    }
}
