using System.Runtime.CompilerServices;

namespace Nacelle.Systemd.Tests;

/// <summary>A test that asks the systemd of the machine, and is skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SystemdFactAttribute : FactAttribute
{
    public SystemdFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        // sd_booted(3)
        if (!Directory.Exists("/run/systemd/system"))
        {
            Skip = "process 1 is not systemd: SystemdHostTests runs this where it is";
        }
    }
}
