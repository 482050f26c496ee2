namespace Nacelle.Linux;

public sealed partial class Cgroup
{
    /// <summary>Sets every limit that can be set, on a new group as on one in use.</summary>
    /// <returns>
    /// The limits that do not hold, each with the reason; the caller decides what that means. A value that stands for "no limit" is not among them where
    /// the kernel has no such limit.
    /// </returns>
    public IReadOnlyList<UnsetLimit> Apply(CgroupLimits limits)
    {
        var unset = new List<UnsetLimit>();
        if (Unified)
        {
            ApplyUnified(limits, unset);
        }
        else
        {
            ApplyLegacy(limits, unset);
        }

        if (limits.Devices is { } devices)
        {
            if (Unified)
            {
                AttachDeviceProgram(devices, unset);
            }
            else
            {
                WriteDeviceRules(devices, unset);
            }
        }

        return unset;
    }

    /// <param name="File">The name of the limit.</param>
    /// <param name="Value">Null: stays as it is.</param>
    /// <param name="Usual">The value is what holds where the kernel has no such limit.</param>
    readonly record struct Setting(string File, string? Value, bool Usual = false);

    void Set(List<UnsetLimit> unset, CgroupControllers controller, string file, string? value, bool usual = false) =>
        SetTogether(unset, controller, new Setting(file, value, usual));

    /// <summary>Sets limits that bind each other: those that the kernel refuses are tried again after the others.</summary>
    void SetTogether(List<UnsetLimit> unset, CgroupControllers controller, params ReadOnlySpan<Setting> settings)
    {
        List<Setting> left = [.. settings];
        left.RemoveAll(setting => setting.Value is null);
        while (left.Count > 0)
        {
            var refused = new List<(Setting Setting, Errno Error)>();
            foreach (var setting in left)
            {
                if (TrySet(controller, setting.File, setting.Value!) is var error and not Errno.None && !(setting.Usual && IsMissing(error)))
                {
                    refused.Add((setting, error));
                }
            }

            if (refused.Count == left.Count || refused.TrueForAll(one => IsMissing(one.Error)))
            {
                unset.AddRange(refused.Select(one => new UnsetLimit(one.Setting.File, Reason(controller, one.Setting.Value!, one.Error), one.Error)));
                return;
            }

            left = refused.ConvertAll(one => one.Setting);
        }
    }

    /// <summary>Sets a limit that has a file for each of several schedulers, of which any may be at work.</summary>
    void SetAny(List<UnsetLimit> unset, CgroupControllers controller, params ReadOnlySpan<Setting> settings)
    {
        UnsetLimit? first = null;
        bool any = false;
        foreach (var setting in settings)
        {
            var error = TrySet(controller, setting.File, setting.Value!);
            any |= error == Errno.None;
            if (error != Errno.None && (first is null || IsMissing(first.Value.Errno)))
            {
                first = new UnsetLimit(setting.File, Reason(controller, setting.Value!, error), error);
            }
        }

        if (!any && first is { } failed)
        {
            unset.Add(failed);
        }
    }

    static bool IsMissing(Errno error) => error is Errno.ENOENT or Errno.EOPNOTSUPP;

    /// <returns>ENOENT also where the controller is missing.</returns>
    Errno TrySet(CgroupControllers controller, string file, string value) =>
        Find(controller) is { } part ? TryWrite(part.Directory, file, value) : Errno.ENOENT;

    string Reason(CgroupControllers controller, string value, Errno error) => error switch
    {
        _ when Find(controller) is null =>
            $"the '{ControllerNames.Of(controller, Unified)}' controller is not available" + (missingReason.Length > 0 ? $" ({missingReason})" : ""),
        Errno.ENOENT or Errno.EOPNOTSUPP => "this kernel has no such limit",
        Errno.EBUSY => $"cannot be set to {value}: more than that is in use",
        Errno.EINVAL or Errno.ERANGE => $"the kernel does not take the value {value}",
        _ => $"cannot be set to {value}: {error}",
    };

    /// <summary>The directory where this controller's files are; any, for none.</summary>
    Part? Find(CgroupControllers controller) =>
        !Unified ? parts.Find(part => (part.Controllers & controller) != 0)
        : controller == 0 || (Controllers & controller) != 0 ? parts[0]
        : null;
}
