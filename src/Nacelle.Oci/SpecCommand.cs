using Nacelle.Linux;
using Nacelle.Specs;

namespace Nacelle.Oci;

static class SpecCommand
{
    public static readonly Command Definition = new(
        "spec", "[OPTIONS]", "write a config.json to start from",
        [new("bundle|b", "DIRECTORY", "where (default: the working directory)"), new("rootless", null, "for a user who is not root")], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        var bundle = ".";
        bool rootless = false;
        arguments.TakeOptions(Definition.Options, (name, value) =>
        {
            bundle = name == "bundle" ? value : bundle;
            rootless |= name == "rootless";
        });
        arguments.End();
        var config = rootless ? RuntimeConfig.DefaultRootless(Processes.EffectiveUserId, Processes.EffectiveGroupId) : RuntimeConfig.Default();
        using var file = Files.TryOpen(
            FileDescriptor.WorkingDirectory, $"{bundle}/config.json", OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, out var error, 0x1A4);
        if (file is null)
        {
            throw error == Errno.EEXIST ? new UserException($"there is a {bundle}/config.json already") : new KernelException($"create {bundle}/config.json", error);
        }

        Files.Write(file, [.. config.ToJson(indented: true), (byte)'\n']);
        return 0;
    }
}
