using System.Runtime.InteropServices;
using Nacelle.Images;
using Nacelle.Linux;
using Nacelle.Pods;
using Nacelle.Specs;

namespace Nacelle.Build;

/// <summary>What a RUN runs, and in what.</summary>
sealed record StepCommand(IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment, string User, string WorkingDirectory, string Network);

/// <summary>Runs a command in a pod of its own on a stage's layers. The pod is gone afterwards, whatever happens but the death of this process.</summary>
sealed class StepPod(PodStore pods, ImageStore store, BuildHost host)
{
    const int PR_SET_PDEATHSIG = 1;

    static readonly AppName App = AppName.Parse("build", "app");
    static readonly string Version = typeof(StepPod).Assembly.GetName().Version!.ToString(3);

    /// <param name="take">Called with the directory whose <c>upper</c> has what the command has changed; it may take that away.</param>
    /// <exception cref="BuildException">The command failed, or could not be started.</exception>
    public void Run(StageState stage, StepCommand command, RunMounts mounts, Action<FileDescriptor> take, CancellationToken cancellation)
    {
        var uuid = Prepare(stage, command, mounts);
        try
        {
            int code = Start(uuid, command.Network, cancellation);
            cancellation.ThrowIfCancellationRequested();
            using var found = Find(uuid) ?? throw new BuildException("the command could not be started");
            if (code != 0)
            {
                throw new BuildException($"the command ended with exit code {code}");
            }

            if (!found.Pod.TryLock())
            {
                throw new BuildException($"somebody else works on the build's pod {uuid}");
            }

            using var changes = Files.Open(found.Pod.Directory, $"overlay/{App}", OpenFlags.ReadOnly | OpenFlags.Directory);
            take(changes);
            FileLock.Release(found.Pod.Directory);
        }
        finally
        {
            Remove(uuid);
        }
    }

    string Prepare(StageState stage, StepCommand command, RunMounts mounts)
    {
        var (user, group) = SplitUser(command.User);
        var digest = ContentStore.DigestOf(System.Text.Encoding.UTF8.GetBytes($"stage {string.Join(' ', stage.DiffIds)}")); // no image's id: the stage is none yet
        var manifest = new PodManifest
        {
            Apps =
            [
                new PodApp
                {
                    Name = App,
                    Image = new PodImage { Id = digest.FileName },
                    Mounts = mounts.Mounts,
                    App = new App
                    {
                        Exec = command.Arguments,
                        User = user,
                        Group = group,
                        WorkingDirectory = command.WorkingDirectory,
                        Environment = [.. command.Environment.Concat(mounts.Environment).Select(variable => variable.Split('=', 2)).Select(pair => new Annotation(pair[0], pair.ElementAtOrDefault(1) ?? ""))],
                    },
                },
            ],
            Volumes = mounts.Volumes,
        };
        var descriptor = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = digest, Size = 0 };
        var image = new StoredImage
        {
            Name = "docker://localhost/build", Manifest = descriptor, Layout = descriptor, Config = digest, Resolved = digest,
            Platform = Platform.Current.ToString(), Size = 0, Imported = DateTimeOffset.UtcNow,
        };
        var app = new AppImage(image, new AppImageManifest { Name = "localhost/build" }, stage.DiffIds, []);
        using var pod = PodPreparation.Prepare(pods, store, store.Layers, new PodRequest { Manifest = manifest, Changes = OverlayChanges.Whole, Check = host.Check }, [app], Version, host.Say);
        return pod.Uuid;
    }

    /// <summary>The output of the command goes where our progress goes. If this process is killed, the pod is.</summary>
    int Start(string uuid, string network, CancellationToken cancellation)
    {
        var program = InstalledPrograms.Find("nacelle");
        var plan = new LaunchPlan();
        plan.Call("connect standard output", SystemCall.dup3, 2, 1, 0);
        plan.Call("die with the build", SystemCall.prctl, PR_SET_PDEATHSIG, (int)Signal.Kill);
        var parent = plan.CallForResult("find the build", SystemCall.getppid);
        plan.Require("find the build", LaunchPlan.AddressOf(parent), 0, ulong.MaxValue, (ulong)Environment.ProcessId, Errno.ESRCH); // it may have died before
        plan.Call("unblock signals", SystemCall.rt_sigprocmask, 2, plan.Bytes(stackalloc byte[8]), 0, 8);
        plan.Call(
            $"exec {program}", SystemCall.execve, plan.Text(program),
            plan.TextArray([program, "run-prepared", $"--dir={pods.Path}", $"--net={network}", .. host.RunArguments, uuid]), plan.TextArray(Processes.Environment()));
        var process = Launcher.Start(plan);

        // A second request to end is for a command that does not heed the first.
        int requests = 0;
        void Stop() => Processes.Kill(process.Id, Interlocked.Increment(ref requests) == 1 ? Signal.Terminate : Signal.Kill);
        using var first = cancellation.Register(Stop);
        using var again = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => { if (requests > 0) { Stop(); } });
        return process.Wait().ShellCode;
    }

    FoundPod? Find(string uuid)
    {
        try
        {
            return pods.Find(uuid);
        }
        catch (PodException)
        {
            return null; // the pod could not start, has said why, and is removed
        }
    }

    void Remove(string uuid)
    {
        using var found = Find(uuid);
        if (found is not null)
        {
            PodCollection.Remove(pods, found);
        }
    }

    static (string User, string Group) SplitUser(string user)
    {
        int colon = user.IndexOf(':');
        return user.Length == 0 ? ("0", "0") : colon < 0 ? (user, "") : (user[..colon], user[(colon + 1)..]);
    }
}
