using System.Text;

namespace Nacelle.Specs;

/// <summary>Refuses a config.json that no container can be made of, before anything is made. What only the machine at hand can tell is not asked here.</summary>
/// <remarks>
/// Each rule is a MUST of the OCI runtime specification 1.3.0, or a refusal of the kernel's that would come late. The names of capabilities and of
/// resource limits are the kernel layer's, and are looked up there.
/// </remarks>
static partial class RuntimeConfigCheck
{
    // __NEW_UTS_LEN of the kernel's include/uapi/linux/utsname.h.
    const int LongestHostName = 64;

    /// <param name="source">Where <paramref name="part"/> was read, for messages.</param>
    public static void In<T>(string source, T part, Action<T> check)
    {
        try
        {
            check(part);
        }
        catch (SpecException problem)
        {
            throw problem.In(source);
        }
    }

    public static void Config(RuntimeConfig config)
    {
        var linux = config.Linux ?? new RuntimeLinux();
        Version(config.OciVersion);
        Root(config.Root);
        if (config.Process is { } process)
        {
            Process(process, "process.");
        }

        HostName("hostname", config.Hostname, linux);
        HostName("domainname", config.Domainname, linux);
        Mounts(config.Mounts, linux);
        if (config.Hooks is { } hooks)
        {
            Hooks(hooks);
        }

        if (config.Annotations?.ContainsKey("") == true)
        {
            throw new SpecException("annotations", "one of the keys is empty");
        }

        Linux(linux);
        Sysctl(config, linux);
        if (config.Process is { } user)
        {
            UserIsMapped(user.User, linux);
        }
    }

    static void Root(RuntimeRoot? root)
    {
        if (root is null)
        {
            throw new SpecException("root", "is missing");
        }

        NotEmpty("root", ".path", root.Path);
        Text("root", ".path", root.Path);
    }

    static void HostName(string at, string? name, RuntimeLinux linux)
    {
        if (name is null)
        {
            return;
        }

        Text(at, "", name);
        if (Encoding.UTF8.GetByteCount(name) > LongestHostName)
        {
            throw new SpecException(at, $"'{Short(name)}' is too long: at most {LongestHostName} bytes");
        }

        if (linux.FindNamespace("uts") is null)
        {
            throw new SpecException(at, "would rename the host: give the container a uts namespace");
        }
    }

    static void Hooks(RuntimeHooks hooks)
    {
        Hooks("hooks.prestart", hooks.Prestart);
        Hooks("hooks.createRuntime", hooks.CreateRuntime);
        Hooks("hooks.createContainer", hooks.CreateContainer);
        Hooks("hooks.startContainer", hooks.StartContainer);
        Hooks("hooks.poststart", hooks.Poststart);
        Hooks("hooks.poststop", hooks.Poststop);
    }

    static void Hooks(string list, IReadOnlyList<RuntimeHook> hooks)
    {
        for (int i = 0; i < hooks.Count; i++)
        {
            var hook = hooks[i];
            var at = $"{list}[{i}]";
            AbsolutePath(at, ".path", hook.Path);
            Texts(at, ".args", hook.Args);
            Texts(at, ".env", hook.Env);
            if (hook.Timeout is <= 0)
            {
                throw new SpecException($"{at}.timeout", $"{hook.Timeout} is not a number of seconds above zero");
            }
        }
    }
}
