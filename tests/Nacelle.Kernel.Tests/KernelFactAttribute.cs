using System.Runtime.CompilerServices;
using Nacelle.Linux;

[assembly: AssemblyFixture(typeof(Nacelle.Kernel.Tests.LeakGuard))]

// The tests look at what the machine has as a whole, and start processes while others fork: one at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Nacelle.Kernel.Tests;

/// <summary>A test that acts on the kernel as root, and is skipped where it may not.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelFactAttribute : FactAttribute
{
    public KernelFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        if (!Processes.IsRoot)
        {
            Skip = "needs root";
        }
    }
}
