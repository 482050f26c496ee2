using System.Runtime.CompilerServices;
using Nacelle.Linux;

// The tests start processes while others fork, and ask for what namespaces hold: one at a time.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Nacelle.Network.Tests;

/// <summary>A test that makes network namespaces, and is skipped where it may not.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NetworkFactAttribute : FactAttribute
{
    public NetworkFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        if (!Processes.IsRoot)
        {
            Skip = "needs root";
        }
    }
}

/// <summary>As <see cref="NetworkFactAttribute"/>, for tests with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NetworkTheoryAttribute : TheoryAttribute
{
    public NetworkTheoryAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        if (!Processes.IsRoot)
        {
            Skip = "needs root";
        }
    }
}
