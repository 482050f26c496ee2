using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Nacelle.Kernel.Tests.LeakTestsLast))]

namespace Nacelle.Kernel.Tests;

public class LeakTests(LeakGuard guard)
{
    [KernelFact]
    public void No_mount_cgroup_network_or_process_is_left_when_all_tests_have_run() => Assert.Empty(guard.Left());
}

public sealed class LeakTestsLast : ITestCollectionOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => collection.TestCollectionDisplayName.Contains(nameof(LeakTests), StringComparison.Ordinal))
            .ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal)];
}
