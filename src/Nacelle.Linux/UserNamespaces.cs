namespace Nacelle.Linux;

/// <summary>User namespaces made by a process that stays outside.</summary>
public static class UserNamespaces
{
    /// <summary>Writes the maps of a child's new user namespace: its users and groups from 0 up are the given ones outside.</summary>
    /// <remarks>user_namespaces(7), "User and group ID mappings"; once per namespace, and only from outside it.</remarks>
    public static void WriteMaps(int pid, uint shift, uint count)
    {
        Files.WriteExisting(FileDescriptor.WorkingDirectory, $"/proc/{pid}/uid_map", $"0 {shift} {count}\n");
        Files.WriteExisting(FileDescriptor.WorkingDirectory, $"/proc/{pid}/gid_map", $"0 {shift} {count}\n");
    }

    /// <summary>A user namespace with that map and nobody in it, for mounts that show owners through it.</summary>
    public static FileDescriptor Create(uint shift, uint count)
    {
        var (waiting, go) = Files.CreatePipe("user namespace");
        using (waiting)
        {
            var plan = new LaunchPlan();
            plan.Call("close", SystemCall.close, plan.Descriptor(go)); // or the child would wait for itself when we are killed
            plan.Call("wait", SystemCall.read, plan.Descriptor(waiting), LaunchPlan.AddressOf(plan.NewCell()), 1).AtLeast(1);
            using var loaded = LoadedPlan.Load(plan.ToBytes());
            var process = Launcher.Begin(loaded, Namespaces.User);
            try
            {
                WriteMaps(process.Id, shift, count);
                return Files.Open($"/proc/{process.Id}/ns/user", OpenFlags.ReadOnly);
            }
            finally
            {
                Processes.Kill(process.Id, Signal.Kill);
                process.Wait();
                go.Dispose();
            }
        }
    }
}
